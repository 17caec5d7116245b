/**
 * Whatever people have in their hands -> what it is and what is to be said of it.
 *
 * Forms are tried from the one that is hardest to mistake to the one that is easiest.
 */
import { parseBase64 } from "../base/bytes.ts";
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/suggest.ts";
import { parseLenientJson } from "../formats/json-values.ts";
import { diagnoses } from "../protocol/diagnoses.ts";
import { isDer } from "../protocol/key-containers.ts";
import { fcmTokenAdvice, isFcmToken, isRecord, looksLikeSubscription } from "../protocol/spellings.ts";
import { inspectBody } from "./body.ts";
import { causeOf, inspectCause } from "./cause.ts";
import { parseCurl } from "./curl.ts";
import { inspectEndpoint } from "./endpoint.ts";
import { exchangesIn, isHar } from "./har.ts";
import type { Inspection, InspectionKind, Surroundings } from "./inspection.ts";
import { inspectKey } from "./key.ts";
import { inspectExchange } from "./request.ts";
import { inspectResponse, parseResponse } from "./response.ts";
import { inspectSubscription } from "./subscription.ts";
import { inspectToken } from "./token.ts";

/**
 * Explains `bytes`, as `kind` when that is given.
 *
 * @throws UserError `inspect-unknown` when it is nothing that is known, `inspect-unreadable` when it is not the
 *   `kind` that was asked for
 */
export async function inspect(
  bytes: Uint8Array,
  kind: InspectionKind | undefined,
  surroundings: Surroundings,
): Promise<readonly Inspection[]> {
  const text = textOf(bytes);
  const found = kind ?? recognise(bytes, text);
  switch (found) {
    case "subscription":
      return subscriptionsIn(text).map((json) => inspectSubscription(json, surroundings));
    case "endpoint":
      return [inspectEndpoint(text ?? "", surroundings)];
    case "key":
      return [inspectKey(bytes, surroundings)];
    case "token":
      return [inspectToken(text ?? "", surroundings)];
    case "body":
      return [inspectBody(bodyBytes(bytes, text), surroundings)];
    case "request":
      return inspectRequests(text ?? "", surroundings);
    case "response":
      return [inspectResponse(parseResponse((text ?? "").trimStart()), surroundings.endpoint, surroundings)];
    case "cause":
      return [inspectCauseNamed((text ?? "").trim())];
    case undefined:
      throw unknown(text);
    default:
      return found satisfies never;
  }
}

/** The text of bytes; undefined when they are none. */
function textOf(bytes: Uint8Array): string | undefined {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function recognise(bytes: Uint8Array, text: string | undefined): InspectionKind | undefined {
  if (isDer(bytes)) return "key";
  if (text === undefined) return "body";
  const trimmed = text.trim();
  if (isFcmToken(trimmed)) return undefined; // it would pass for a key
  if (/^curl\s/.test(trimmed)) return "request";
  if (/^HTTP\/[\d.]+ \d{3}/.test(trimmed)) return "response";
  if (/^[[{]/.test(trimmed)) return kindOfJson(trimmed);
  if (/^(?:authorization\s*:|crypto-key\s*:|vapid\s|webpush\s+eyJ|bearer\s+eyJ|eyJ[\w-]*\.)/i.test(trimmed))
    return "token";
  if (/^https?:\/\//i.test(trimmed)) return "endpoint";
  if (causeOf(trimmed) !== undefined) return "cause";
  if (/-----BEGIN |(?:public|private)_?-?key(?:\s*["'])?\s*[:=]/i.test(trimmed)) return "key";
  return kindOfWord(trimmed);
}

function kindOfJson(text: string): InspectionKind | undefined {
  const [json] = valuesIn(text);
  if (isHar(json)) return "request";
  if (looksLikeSubscription(json) || (Array.isArray(json) && json.some((one) => looksLikeSubscription(one))))
    return "subscription";
  if (!isRecord(json)) return undefined;
  if (Object.values(json).some((one) => looksLikeSubscription(one))) return "subscription";
  if ("kty" in json || Object.keys(json).some((name) => /^(?:vapid_?)?(?:public|private)_?key$/i.test(name)))
    return "key";
  return "p256dh" in json || "keys" in json ? "subscription" : undefined;
}

/** Where a body's first field ends that tells it from other bytes. */
const keyIdLengthAt = 20;
const keyIdLength = 65;
const longestKeyBytes = 140;
/** Digits that may be a key: a scalar, a compressed point, a point. Others, as of a commit, are base64 by accident. */
const hexKeyDigits: readonly number[] = [64, 66, 130];

/** A key, or a body, that was written as base64 or hexadecimal digits. */
function kindOfWord(text: string): InspectionKind | undefined {
  const packed = text.replace(/\s+/g, "");
  const decoded = parseBase64(packed);
  if (isBody(hexBytes(packed)) || isBody(decoded)) return "body";
  const words = text.split(/\s+/);
  if (words.length > 2 || decoded === undefined) return undefined;
  if (hexBytes(packed) !== undefined && !hexKeyDigits.includes(packed.length)) return undefined;
  return decoded.length >= 28 && decoded.length <= longestKeyBytes ? "key" : undefined;
}

function isBody(bytes: Uint8Array | undefined): boolean {
  return (
    bytes !== undefined && bytes.length > keyIdLengthAt + keyIdLength && bytes[keyIdLengthAt] === keyIdLength
  );
}

function hexBytes(text: string): Buffer | undefined {
  return /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, "hex") : undefined;
}

function bodyBytes(bytes: Uint8Array, text: string | undefined): Uint8Array {
  if (text === undefined) return bytes;
  const packed = text.replace(/\s+/g, "");
  return hexBytes(packed) ?? parseBase64(packed) ?? bytes;
}

/** The values of JSON text: one, or one per line. */
function valuesIn(text: string): readonly unknown[] {
  const whole = parseLenientJson(text);
  if (whole !== undefined) return [whole];
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => parseLenientJson(line));
}

/** Beyond this many, `webpush subscriptions import --dry-run` is what is wanted. */
const mostSubscriptions = 100;

/** Every subscription in a text: one, a list, a map of them, or one on each line. */
function subscriptionsIn(text: string | undefined): readonly unknown[] {
  const values = valuesIn((text ?? "").trim());
  const [first] = values;
  const all = values.length > 1 ? values : Array.isArray(first) ? (first as unknown[]) : mapped(first);
  if (all.length > 0 && all.length <= mostSubscriptions) return all;
  throw new UserError(
    "inspect-unreadable",
    `there are ${all.length} subscriptions, at most ${mostSubscriptions} are explained`,
    {
      hints: ["check a whole file: webpush subscriptions import FILE --dry-run"],
    },
  );
}

function mapped(value: unknown): readonly unknown[] {
  if (!isRecord(value) || looksLikeSubscription(value)) return [value];
  const members = Object.values(value);
  return members.some((member) => looksLikeSubscription(member)) ? members : [value];
}

/** More than this of one archive nobody reads. */
const mostExchanges = 100;

async function inspectRequests(text: string, surroundings: Surroundings): Promise<readonly Inspection[]> {
  if (/^\s*curl\s/.test(text)) {
    const { request, body } = parseCurl(text);
    const bytes = body && ("file" in body ? await surroundings.readFile(body.file) : body.bytes);
    const whole = bytes === undefined ? request : { ...request, body: bytes };
    return inspectExchange({ request: whole, response: undefined, sentAt: undefined }, surroundings);
  }
  const [json] = valuesIn(text.trim());
  const exchanges = exchangesIn(json);
  if (exchanges.length > mostExchanges) {
    throw new UserError(
      "inspect-unreadable",
      `there are ${exchanges.length} push messages in it, at most ${mostExchanges} are explained`,
      { hints: ["give the entry of the one you mean"] },
    );
  }
  if (exchanges.length > 0) return exchanges.flatMap((exchange) => inspectExchange(exchange, surroundings));
  throw new UserError("inspect-unreadable", "no request in it looks like a push message", {
    hints: ["a push message is a POST with a TTL header; give the entry of the one you mean"],
  });
}

/** Ids of errors, findings and of what is not sent at all stand there beside the causes; nobody sends those. */
const errorsPage = "if it is an error code or another id of webpush, docs/errors.md says what it means";
const idLike = /^[a-z]{2,20}[.-][a-z0-9]{2,20}(?:[.-][a-z0-9]{1,20})*$/;

function inspectCauseNamed(text: string): Inspection {
  const row = causeOf(text);
  if (row !== undefined) return inspectCause(row);
  const near = nearest(
    text.slice(0, 60),
    diagnoses.map(({ id }) => id),
  );
  throw new UserError("inspect-unknown", `no cause has the id ${JSON.stringify(text.slice(0, 60))}`, {
    hints: [near === undefined ? errorsPage : `did you mean ${near}?`],
  });
}

const takes =
  "give a subscription, endpoint, key, token, header, encrypted body, HAR entry, curl command, HTTP answer or cause";

/** What it looks like, where that can be said; nothing of it is repeated, for it may be a secret. */
function unknown(text = ""): UserError {
  const trimmed = text.trim();
  if (trimmed === "")
    return new UserError("inspect-unknown", "there is nothing to inspect", { hints: [takes] });
  if (isFcmToken(trimmed)) {
    return new UserError("inspect-unknown", "this is a registration token of the Firebase SDK", {
      hints: [fcmTokenAdvice],
    });
  }
  const near = /^[a-z0-9]{1,20}\.[a-z0-9.-]{1,60}$/.test(trimmed)
    ? nearest(
        trimmed,
        diagnoses.map(({ id }) => id),
      )
    : undefined;
  const hint = near === undefined ? (idLike.test(trimmed) ? errorsPage : takes) : `did you mean ${near}?`;
  return new UserError("inspect-unknown", `${trimmed.length} characters that are nothing webpush knows`, {
    hints: [
      hint,
      "or say what it is: --as subscription, endpoint, key, token, body, request, response or cause",
    ],
  });
}
