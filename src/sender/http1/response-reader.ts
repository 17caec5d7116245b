/**
 * Bytes as they arrive -> one response: HTTP/1.1, RFC 9112.
 *
 * Strict where leniency lets one answer be taken for another (RFC 9112 §11): one length
 * and one framing, no folded lines, no bare line feeds, nothing in front of the status line.
 */
import {
  addField,
  isFieldName,
  isFieldValue,
  maxHeaderBytes,
  maxHeaderCount,
  maxInterimAnswers,
  PartialResponse,
  type Verdict,
} from "../partial-response.ts";

/** The size of a chunk in hexadecimal; no body here is larger than the digits can say. */
const chunkSizeLine = /^([0-9a-fA-F]{1,8})(?:[\t ]*;[^\r\n]*)?$/;
const maxLineBytes = 1024;

/** How the end of a body is told (RFC 9112 §6.3). */
type Framing =
  | { readonly kind: "length"; left: number }
  | { readonly kind: "chunks"; left: number; step: "size" | "data" | "data-end" | "trailers" }
  | { readonly kind: "until-close" };

/** Reads the response to one request. */
export class ResponseReader {
  /** What has come and is not understood yet. */
  #bytes: Buffer = Buffer.alloc(0);
  /** How far `#bytes` was searched for the end of a header section. */
  #searched = 0;
  #interimAnswers = 0;
  #framing: Framing | undefined;
  #response: PartialResponse | undefined;
  #isPersistent = false;

  /** Takes the next bytes. After anything but `more` nothing is to follow. */
  push(chunk: Buffer): Verdict {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    while (this.#framing === undefined) {
      const reading = this.#readHead();
      if (reading !== undefined) return reading;
    }
    return this.#readBody(this.#framing);
  }

  /** The connection has ended: whether that is the end of the response too. */
  end(): Verdict {
    return this.#framing?.kind === "until-close" ? "done" : "malformed";
  }

  /** The response as far as it has come; `undefined` while the status is not known. */
  get response(): PartialResponse | undefined {
    return this.#response;
  }

  /** Whether the connection can carry another request: both sides agree, and nothing came after the answer. */
  get isReusable(): boolean {
    return this.#isPersistent && this.#bytes.length === 0;
  }

  /** Reads a header section; `undefined` when that was one, and the framing or the next section is due. */
  #readHead(): Verdict | undefined {
    const end = this.#bytes.indexOf("\r\n\r\n", this.#searched, "latin1");
    if ((end < 0 ? this.#bytes.length : end) > maxHeaderBytes) return "malformed";
    if (end < 0) {
      this.#searched = Math.max(0, this.#bytes.length - 3);
      return "more";
    }
    const head = parseHead(this.#bytes.toString("latin1", 0, end));
    this.#bytes = this.#bytes.subarray(end + 4);
    this.#searched = 0;
    if (head === undefined || head.status === 101) return "malformed"; // nobody asked for another protocol
    if (head.status < 200) {
      this.#interimAnswers += 1;
      return this.#interimAnswers > maxInterimAnswers ? "malformed" : undefined;
    }
    this.#framing = framingOf(head);
    if (this.#framing === undefined) return "malformed";
    this.#isPersistent = isPersistent(head) && this.#framing.kind !== "until-close";
    this.#response = new PartialResponse(head.status, head.headers);
    return undefined;
  }

  #readBody(framing: Framing): Verdict {
    switch (framing.kind) {
      case "length": {
        const reading = this.#append(framing.left);
        framing.left -= reading.bytes;
        return framing.left === 0 ? "done" : reading.verdict;
      }
      case "chunks":
        return this.#readChunks(framing);
      case "until-close":
        return this.#append(Infinity).verdict;
      default:
        return framing satisfies never;
    }
  }

  /** RFC 9112 §7.1. */
  #readChunks(framing: Extract<Framing, { kind: "chunks" }>): Verdict {
    for (;;) {
      if (framing.step === "data") {
        const { bytes, verdict } = this.#append(framing.left);
        framing.left -= bytes;
        if (verdict === "enough") return verdict;
        if (framing.left > 0) return "more";
        framing.step = "data-end";
      }
      const line = this.#takeLine();
      if (typeof line !== "string" && line !== undefined) return line.verdict;
      if (line === undefined) return "more";
      const next = afterLine(framing.step, line);
      if (next === undefined) return "malformed";
      if (next === "end") return "done";
      framing.step = next.step;
      framing.left = next.left;
    }
  }

  /** The next line without its end; `undefined` while it is not whole. */
  #takeLine(): string | undefined | { readonly verdict: "malformed" } {
    const end = this.#bytes.indexOf("\r\n", 0, "latin1");
    if ((end < 0 ? this.#bytes.length : end) > maxLineBytes) return { verdict: "malformed" };
    if (end < 0) return undefined;
    const line = this.#bytes.toString("latin1", 0, end);
    this.#bytes = this.#bytes.subarray(end + 2);
    return line;
  }

  /** Moves at most `limit` bytes over to the body. */
  #append(limit: number): { readonly bytes: number; readonly verdict: "more" | "enough" } {
    const bytes = Math.min(limit, this.#bytes.length);
    const chunk = this.#bytes.subarray(0, bytes);
    this.#bytes = this.#bytes.subarray(bytes);
    const goesOn = bytes === 0 || this.#response?.append(chunk) === true;
    return { bytes, verdict: goesOn ? "more" : "enough" };
  }
}

type ChunkStep = Extract<Framing, { kind: "chunks" }>["step"];

/** What follows a line between chunks; `undefined` when there can be no such line. */
function afterLine(
  step: ChunkStep,
  line: string,
): { readonly step: ChunkStep; readonly left: number } | "end" | undefined {
  if (step === "data-end") return line === "" ? { step: "size", left: 0 } : undefined;
  if (step === "trailers") return line === "" ? "end" : { step: "trailers", left: 0 };
  const [, size] = chunkSizeLine.exec(line) ?? [];
  if (size === undefined) return undefined;
  const left = parseInt(size, 16);
  return { step: left === 0 ? "trailers" : "data", left };
}

interface Head {
  readonly version: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

function parseHead(text: string): Head | undefined {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const [, version, status] = /^HTTP\/(1\.[01]) ([1-9]\d\d)(?: [^\r\n]*)?$/.exec(statusLine) ?? [];
  if (version === undefined || lines.length > maxHeaderCount) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "");
    // A folded line begins with a space, so its name is none (RFC 9112 §5.2).
    if (colon < 0 || !isFieldName(name) || !isFieldValue(value)) return undefined;
    addField(headers, name, value);
  }
  return { version, status: Number(status), headers };
}

/** RFC 9112 §6.3; `undefined` when two statements contradict one another. */
function framingOf({ status, headers }: Head): Framing | undefined {
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (coding !== undefined && length !== undefined) return undefined;
  if (status === 204 || status === 304) return { kind: "length", left: 0 };
  if (coding !== undefined) {
    return coding.toLowerCase() === "chunked" ? { kind: "chunks", left: 0, step: "size" } : undefined;
  }
  if (length === undefined) return { kind: "until-close" };
  return /^\d{1,15}$/.test(length) ? { kind: "length", left: Number(length) } : undefined;
}

/** RFC 9112 §9.3. */
function isPersistent({ version, headers }: Head): boolean {
  return version === "1.1" && !/(?:^|[\t ,])close(?:$|[\t ,])/i.test(headers.get("connection") ?? "");
}
