/**
 * The frames of Mozilla's autopush protocol: JSON objects, one per WebSocket text frame.
 *
 * What a client sends becomes a member of a closed union, or nothing: autopush ends
 * the connection of whoever sends what it cannot read, so there is no middle way.
 */
import { formatBase64url } from "../base/bytes.ts";
import type { Acknowledgement } from "./events.ts";
import type { PushedMessage } from "./exchange.ts";

export interface AckUpdate {
  readonly channelId: string;
  readonly version: string;
  readonly how: Acknowledgement;
}

/** What a client says. */
export type ClientFrame =
  | { readonly type: "hello"; readonly userAgentId: string | undefined; readonly usesWebPush: boolean }
  | { readonly type: "register"; readonly channelId: string; readonly key: string | undefined }
  | { readonly type: "unregister"; readonly channelId: string; readonly code: number | undefined }
  | { readonly type: "ack"; readonly updates: readonly AckUpdate[] }
  | { readonly type: "nack"; readonly version: string; readonly code: number }
  | { readonly type: "broadcast_subscribe"; readonly broadcasts: readonly string[] }
  | { readonly type: "ping" };

/** 100 is also what a client means that gives none, as autopush reads it. */
const acknowledgements: ReadonlyMap<unknown, Acknowledgement> = new Map([
  [undefined, "received"],
  [100, "received"],
  [101, "undecryptable"],
  [102, "not-delivered"],
]);

/** Ours have 22 characters. A `nack` stands in the log with its version whatever that is, so it must not fill it. */
const longestVersion = 200;

/** The code by which a client acknowledges so. */
export const acknowledgementCodes: Readonly<Record<Acknowledgement, number>> = {
  received: 100,
  undecryptable: 101,
  "not-delivered": 102,
};

/** Reads one frame; `undefined` when it is none. */
export function parseClientFrame(text: string): ClientFrame | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fields = fieldsOf(json);
  if (fields === undefined) return undefined;
  if (fields.size === 0) return { type: "ping" };
  return readers.get(fields.get("messageType"))?.(fields);
}

type Fields = ReadonlyMap<string, unknown>;
type Reader = (fields: Fields) => ClientFrame | undefined;

const readers: ReadonlyMap<unknown, Reader> = new Map<string, Reader>([
  ["hello", readHello],
  ["register", readRegister],
  ["unregister", readUnregister],
  ["ack", readAck],
  ["nack", readNack],
  ["broadcast_subscribe", readBroadcastSubscribe],
  ["ping", () => ({ type: "ping" })],
]);

function readHello(fields: Fields): ClientFrame | undefined {
  const userAgentId = fields.get("uaid") ?? undefined;
  if (userAgentId !== undefined && typeof userAgentId !== "string") return undefined;
  return { type: "hello", userAgentId, usesWebPush: fields.get("use_webpush") === true };
}

function readRegister(fields: Fields): ClientFrame | undefined {
  const channelId = fields.get("channelID");
  const key = fields.get("key") ?? undefined;
  if (typeof channelId !== "string" || (key !== undefined && typeof key !== "string")) return undefined;
  return { type: "register", channelId, key };
}

function readUnregister(fields: Fields): ClientFrame | undefined {
  const channelId = fields.get("channelID");
  const code = fields.get("code") ?? undefined;
  if (typeof channelId !== "string" || !isChannelId(channelId)) return undefined;
  if (code !== undefined && !isCode(code)) return undefined;
  return { type: "unregister", channelId, code };
}

function readAck(fields: Fields): ClientFrame | undefined {
  const list = fields.get("updates");
  if (!Array.isArray(list)) return undefined;
  const updates = list.map((update) => readUpdate(fieldsOf(update)));
  const read = updates.filter((update) => update !== undefined);
  return read.length === updates.length ? { type: "ack", updates: read } : undefined;
}

function readUpdate(fields: Fields | undefined): AckUpdate | undefined {
  const channelId = fields?.get("channelID");
  const version = fields?.get("version");
  const how = acknowledgements.get(fields?.get("code") ?? undefined);
  if (typeof channelId !== "string" || typeof version !== "string" || how === undefined) return undefined;
  return { channelId, version, how };
}

function readNack(fields: Fields): ClientFrame | undefined {
  const version = fields.get("version");
  const code = fields.get("code") ?? 0;
  if (typeof version !== "string" || version.length > longestVersion || !isCode(code)) return undefined;
  return { type: "nack", version, code };
}

function readBroadcastSubscribe(fields: Fields): ClientFrame | undefined {
  const broadcasts = fieldsOf(fields.get("broadcasts"));
  return broadcasts && { type: "broadcast_subscribe", broadcasts: [...broadcasts.keys()] };
}

function fieldsOf(json: unknown): Fields | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return new Map<string, unknown>(Object.entries(json));
}

function isCode(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Whether a channel id is in the only form autopush takes: a UUID with dashes, in lower case. */
export function isChannelId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/** A message as its receiver gets it: TTL, topic and urgency are not passed on. */
export function formatNotification(channelId: string, message: PushedMessage): string {
  const { messageId: version, body, headers } = message;
  const { contentEncoding: encoding, encryption, cryptoKey } = headers;
  const content =
    body.length === 0
      ? {} // An empty push has neither: data without headers would not be shown by Firefox.
      : {
          data: formatBase64url(body),
          headers: {
            encoding,
            ...(encryption === undefined ? {} : { encryption: unpadded(encryption) }),
            ...(cryptoKey === undefined ? {} : { crypto_key: unpadded(cryptoKey) }),
          },
        };
  return JSON.stringify({ messageType: "notification", channelID: channelId, version, ...content });
}

/** A header of the aesgcm draft without quotes and base64 padding, as autopush hands it on. */
function unpadded(header: string): string {
  return header.replaceAll('"', "").replace(/=+(?=\s*(?:[;,]|$))/g, "");
}
