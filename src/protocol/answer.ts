/**
 * What a push service said, read out of whatever form it chose.
 *
 * Apple answers in JSON with `reason`, Mozilla with `message` and `errno`, FCM in
 * text or HTML, WNS in headers. The body is hostile input: nothing here throws, no
 * pattern takes more than linear time, and the words come out as they are (they
 * are made printable at the terminal).
 */

/** A response as the transport hands it over. */
export interface PushResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most some kilobytes of the body. */
  readonly body: string;
}

/** The parts of a response that diagnosis looks at. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Mozilla's `errno`, or ntfy's `code`. */
  readonly errno: number | undefined;
  /** Apple's `reason`. */
  readonly reason: string | undefined;
  /** The service's own words; empty when it sent none. */
  readonly words: string;
  /** Apple's `timestamp`, in milliseconds. */
  readonly timestamp: number | undefined;
}

const second = 1000;
const hour = 3_600_000;
const wordHeaders = ["x-wns-error-description", "x-wns-status", "x-wns-notificationstatus"];
const wordFields = ["reason", "message", "error"];

/** Reads a response's own account of itself. */
export function readAnswer({ status, headers, body }: PushResponse): Answer {
  // What accompanies an acceptance is not about a failure: ntfy echoes the message itself there.
  const fields = isSuccess(status) ? undefined : parseObject(body);
  const text = isSuccess(status) ? "" : readWords(fields, body);
  return {
    status,
    headers,
    errno: numberIn(fields, "errno") ?? numberIn(fields, "code"),
    reason: fields && firstString(fields, ["reason"]),
    words: wordHeaders.map((name) => headers[name] ?? "").find((words) => words !== "") ?? text,
    timestamp: numberIn(fields, "timestamp"),
  };
}

/**
 * `Retry-After` in milliseconds, between one second and one hour (RFC 9110 §10.2.3).
 *
 * A date is measured against the response's own `Date`, so a wrong local clock
 * neither hurries nor delays; `now` stands in where that is missing.
 */
export function readRetryAfter(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const text = headers["retry-after"]?.trim();
  if (text === undefined) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * second : untilDate(text, headers, now);
  return wait === undefined ? undefined : Math.min(Math.max(wait, second), hour);
}

/** How far the local clock is ahead of the service's, by its `Date` header; good to about a second. */
export function readClockSkew(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const date = parseHttpDate(headers["date"]);
  return date === undefined ? undefined : now - date;
}

/** The `TTL` header: how long the service will really keep the message (RFC 8030 §5.2). */
export function readTtl(headers: Readonly<Record<string, string>>): number | undefined {
  const text = headers["ttl"]?.trim() ?? "";
  // RFC 8030 §5.2: a number beyond 31 bits is read as 2^31.
  return /^\d+$/.test(text) ? Math.min(Number(text), 2 ** 31) : undefined;
}

function untilDate(text: string, headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const date = parseHttpDate(text);
  return date === undefined ? undefined : date - (parseHttpDate(headers["date"]) ?? now);
}

/** An HTTP date in one of its three forms, all of them in UTC (RFC 9110 §5.6.7). */
function parseHttpDate(text: string | undefined): number | undefined {
  const date = text?.trim() ?? "";
  // Date.parse alone would take "5" for a year; the asctime form names no zone.
  if (!/^[A-Z][a-z]{2,8},? /.test(date)) return undefined;
  const time = Date.parse(date.endsWith("GMT") ? date : `${date} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

function readWords(fields: Readonly<Record<string, unknown>> | undefined, body: string): string {
  return fields === undefined ? readText(body) : (firstString(fields, wordFields) ?? body.trim());
}

/** The body as a JSON object; `undefined` when it is anything else. */
function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/.test(body)) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined; // cut short, or not JSON at all: then it is text
  }
}

function firstString(
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

function numberIn(fields: Readonly<Record<string, unknown>> | undefined, name: string): number | undefined {
  const value = fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

const entities: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};

/** Plain text, or the text of an HTML page. */
function readText(body: string): string {
  const text = body.trim();
  if (!text.startsWith("<")) return text;
  return (
    text
      .replace(/<(style|script)\b[^<]*<\/\1>/gi, " ")
      // Stopping at the next `<` as well keeps a page of nothing but `<` linear.
      .replace(/<[^<>]*>/g, " ")
      .replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity)
      .replace(/\s+/g, " ")
      .trim()
  );
}
