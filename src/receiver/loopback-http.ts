/**
 * Small HTTP requests to a push service on this machine.
 *
 * Own connections that close with their owner (global fetch keeps its own alive for
 * a while), bodies read within a bound, no redirects, no decoding of contents: a
 * body encrypted as aes128gcm arrives as it was sent.
 */
import { Agent, request } from "node:http";
import { messageOf, UserError } from "../base/errors.ts";

export interface LoopbackRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface LoopbackResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Far above any push message. */
const maxBodyBytes = 1_048_576;

export class LoopbackClient {
  readonly #agent = new Agent({ keepAlive: true });

  /**
   * The answer to one request.
   *
   * @throws UserError `receiver-unreachable`; the signal's reason when it is aborted.
   */
  async fetch({ method, url, headers = {}, body = "", signal }: LoopbackRequest): Promise<LoopbackResponse> {
    try {
      return await new Promise((resolve, reject) => {
        const length = { "content-length": String(Buffer.byteLength(body)) };
        const options = {
          method,
          agent: this.#agent,
          headers: { ...headers, ...length },
          ...(signal && { signal }),
        };
        const outgoing = request(url, options, (incoming) => {
          const chunks: Uint8Array[] = [];
          let size = 0;
          incoming.on("data", (chunk: Uint8Array) => {
            chunks.push(chunk);
            size += chunk.length;
            if (size > maxBodyBytes)
              incoming.destroy(new Error(`the answer is larger than ${maxBodyBytes} bytes`));
          });
          incoming.on("error", reject);
          incoming.on("end", () => {
            const { statusCode = 0 } = incoming;
            resolve({
              status: statusCode,
              headers: singleHeaders(incoming.headers),
              body: Buffer.concat(chunks),
            });
          });
        });
        outgoing.on("error", reject);
        outgoing.end(body);
      });
    } catch (cause) {
      if (signal?.aborted === true) throw signal.reason;
      throw new UserError("receiver-unreachable", `no answer from ${url.origin}: ${messageOf(cause)}`, {
        kind: "failed",
        hints: ["check that the push service is running there"],
        cause,
      });
    }
  }

  /** Ends the connections. */
  close(): void {
    this.#agent.destroy();
  }
}

function singleHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    return value === undefined ? [] : [[name, typeof value === "string" ? value : value.join(", ")]];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}
