/** HTTP Archives (HAR 1.2): a whole file, or one entry as DevTools copies it -> the requests to push services. */
import { parseBase64 } from "../base/bytes.ts";
import { isRecord } from "../protocol/spellings.ts";
import type { PushResponse } from "../protocol/delivery.ts";
import type { HttpExchange } from "./request.ts";

/** Whether JSON is an archive or an entry of one. */
export function isHar(json: unknown): boolean {
  return entriesOf(json) !== undefined;
}

/** The exchanges in an archive that look like messages to a push service; all of them when it is one entry. */
export function exchangesIn(json: unknown): readonly HttpExchange[] {
  const entries = (entriesOf(json) ?? []).flatMap((entry) => exchangeOf(entry) ?? []);
  if (entries.length <= 1) return entries;
  return entries.filter(({ request }) => request.method === "POST" && "ttl" in request.headers);
}

function entriesOf(json: unknown): readonly unknown[] | undefined {
  if (!isRecord(json)) return undefined;
  const { log, request } = json;
  if (isRecord(log) && Array.isArray(log["entries"])) return log["entries"] as readonly unknown[];
  return isRecord(request) && typeof request["url"] === "string" ? [json] : undefined;
}

function exchangeOf(entry: unknown): HttpExchange | undefined {
  if (!isRecord(entry)) return undefined;
  const { request, response, startedDateTime } = entry;
  const sentAt = typeof startedDateTime === "string" ? Date.parse(startedDateTime) : Number.NaN;
  if (!isRecord(request) || typeof request["url"] !== "string") return undefined;
  const { method, url, postData } = request;
  const body = bodyOf(postData);
  return {
    request: {
      method: typeof method === "string" ? method.toUpperCase() : "GET",
      url,
      headers: headersOf(request["headers"]),
      ...(body === undefined ? {} : { body }),
    },
    response: isRecord(response) ? responseOf(response) : undefined,
    sentAt: Number.isNaN(sentAt) ? undefined : sentAt,
  };
}

/** A body in base64 where the recorder says so, else its characters as bytes, as browsers write them. */
function bodyOf(postData: unknown): Uint8Array | undefined {
  if (!isRecord(postData) || typeof postData["text"] !== "string") return undefined;
  const { text, encoding, _encoding } = postData;
  if ((encoding ?? _encoding) === "base64") return parseBase64(text);
  return Buffer.from(text, /^[\u0000-\u00ff]*$/.test(text) ? "latin1" : "utf8");
}

function responseOf({
  status,
  headers,
  content,
}: Readonly<Record<string, unknown>>): PushResponse | undefined {
  if (typeof status !== "number" || status < 100) return undefined; // 0: none came
  const body = isRecord(content) && typeof content["text"] === "string" ? content["text"] : "";
  const isCoded = isRecord(content) && content["encoding"] === "base64";
  const text = isCoded ? (parseBase64(body)?.toString("utf8") ?? "") : body;
  return { status, headers: headersOf(headers), body: text };
}

function headersOf(list: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(list)) return {};
  return Object.fromEntries(
    list.flatMap((one: unknown): [string, string][] => {
      if (!isRecord(one) || typeof one["name"] !== "string" || typeof one["value"] !== "string") return [];
      return [[one["name"].toLowerCase(), one["value"]]];
    }),
  );
}
