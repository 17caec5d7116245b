/**
 * VAPID keys out of and into every format people have them in (PEERS.md §3).
 *
 * Whatever goes in, out comes a pair whose halves were checked against each other,
 * the public key derived when it was not there. Messages name formats, names and
 * lengths and never show file content: most of it is a private key.
 */
import { parseBase64 } from "../base/bytes.ts";
import { UserError } from "../base/errors.ts";
import {
  formatJwk,
  formatPem,
  formatPkcs8,
  isDer,
  readDer,
  readJwk,
  readPem,
  type FoundKeys,
} from "./key-containers.ts";
import { membersOf, namedLines, pickKeys, type NamedKeys } from "./key-lines.ts";
import { pointBytes } from "./p256.ts";
import { isRecord, looksLikeSubscription } from "./spellings.ts";
import type { Subject } from "./subject.ts";
import {
  keyPairOf,
  parseKeyPair,
  parseVapidPrivateKey,
  parseVapidPublicKey,
  type VapidKeyPair,
} from "./vapid.ts";

/** The formats a pair can be written in; `parseKeys` reads each of them back. */
export const keyFormats = ["json", "env", "pem", "jwk", "pkcs8", "raw"] as const;

/** One of `keyFormats`. */
export type KeyFormat = (typeof keyFormats)[number];

/** A pair, and the contact that stood beside it, as it stood there. */
export interface ImportedKeys {
  readonly pair: VapidKeyPair;
  readonly subject: string | undefined;
}

const understood =
  'give JSON {"publicKey","privateKey"}, a .env file, PEM, DER, a JWK, or the keys alone as base64url on one line each';

/**
 * Reads a key pair from the bytes of a file in any usual format.
 *
 * @throws UserError `keys-unrecognized`, `keys-public-only`, `keys-ambiguous`, `keys-encrypted`, `keys-wrong-type`,
 *   `keys-damaged`, `vapid-public-key`, `vapid-private-key`, `vapid-pair-mismatch`
 */
export function parseKeys(bytes: Uint8Array): ImportedKeys {
  if (isDer(bytes)) return { pair: pairOf([readDer(bytes)]), subject: undefined };
  return readText(decodeText(bytes));
}

/**
 * Writes a pair, private key included, without a line break at the end.
 *
 * `json` is byte for byte what `web-push generate-vapid-keys --json` prints; only
 * `env` has a place for the subject.
 */
export function formatKeys(pair: VapidKeyPair, subject: Subject | undefined, format: KeyFormat): string {
  const { publicKey, privateKey } = pair;
  switch (format) {
    case "json":
      return JSON.stringify({ publicKey, privateKey: privateKey.reveal() });
    case "env":
      return [
        `VAPID_PUBLIC_KEY=${publicKey}`,
        `VAPID_PRIVATE_KEY=${privateKey.reveal()}`,
        ...(subject === undefined ? [] : [`VAPID_SUBJECT=${quoteForEnv(subject)}`]),
      ].join("\n");
    case "pem":
      return formatPem(pair);
    case "jwk":
      return formatJwk(pair);
    case "pkcs8":
      return formatPkcs8(pair);
    case "raw":
      return privateKey.reveal();
    default:
      return format satisfies never;
  }
}

/** Quotation marks only where a shell or dotenv would see more than text, such as the # of a URL. */
function quoteForEnv(value: string): string {
  if (/^[\w@:/.+~%=-]*$/.test(value)) return value;
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

/** UTF-8 or, as Windows PowerShell writes with `>`, UTF-16; without byte order mark, line ends as \n. */
function decodeText(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.replace(/\r\n?/g, "\n").trim();
  } catch (cause) {
    throw unrecognized(`${bytes.length} bytes are neither text nor one DER key`, cause);
  }
}

function readText(text: string): ImportedKeys {
  if (text === "") throw unrecognized("there are no keys, the input is empty");
  const json = /^[{["]/.test(text) ? parseJson(text) : undefined;
  // JSON that was turned into JSON a second time.
  if (typeof json === "string") return readText(json.trim());
  if (json !== undefined) return readJson(json);
  if (/^\s*-----BEGIN /m.test(text)) return { pair: pairOf(readPem(text)), subject: undefined };
  return readLoose(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readJson(json: unknown): ImportedKeys {
  if (isRecord(json) && "kty" in json) return { pair: pairOf([readJwk(json)]), subject: undefined };
  if (looksLikeSubscription(json)) {
    throw new UserError("keys-unrecognized", "this is a browser's subscription, not a VAPID key pair", {
      hints: ["store it with webpush subscriptions add"],
    });
  }
  const named = pickKeys(membersOf(json));
  if (named === undefined) throw unrecognized("JSON has no publicKey and privateKey");
  return readNamed(named);
}

/** Named lines, or keys without names. */
function readLoose(text: string): ImportedKeys {
  // `{ publicKey: '…', privateKey: '…' }`, as console.log prints it, may be on one line.
  const members = text.replace(/[{},]/g, "\n");
  const named = pickKeys(namedLines(text.startsWith("{") ? members : text)) ?? pickKeys(namedLines(members));
  if (named !== undefined) return readNamed(named);
  return { pair: readBare(text), subject: undefined };
}

function readNamed({ publicText, privateText, subject }: NamedKeys): ImportedKeys {
  if (publicText !== undefined && privateText !== undefined && isBare(publicText) && isBare(privateText))
    return { pair: parseKeyPair(publicText, privateText), subject };
  const found = [
    ...(publicText === undefined ? [] : readValue(publicText, "public")),
    ...(privateText === undefined ? [] : readValue(privateText, "private")),
  ];
  return { pair: pairOf(found), subject };
}

/** The value of a name may be any container itself. */
function readValue(text: string, role: "public" | "private"): FoundKeys[] {
  if (text.includes("-----BEGIN")) return readPem(text);
  const json = text.startsWith("{") ? parseJson(text) : undefined;
  if (isRecord(json)) return [readJwk(json)];
  const bytes = parseBase64(text);
  if (bytes !== undefined && isDer(bytes)) return [readDer(bytes)];
  return role === "public"
    ? [{ publicKey: parseVapidPublicKey(text), privateKey: undefined }]
    : [{ publicKey: undefined, privateKey: parseVapidPrivateKey(text) }];
}

function isBare(text: string): boolean {
  const bytes = parseBase64(text);
  return bytes !== undefined && !isDer(bytes);
}

/** Base64 without names: one key, two keys in any order, or a DER file in lines of 64 characters. */
function readBare(text: string): VapidKeyPair {
  const words = text.split(/[\s,;]+/).map((word) => word.replace(/^["'`]|["'`]$/g, ""));
  const der = parseBase64(words.join(""));
  if (der !== undefined && isDer(der)) return pairOf([readDer(der)]);
  const [first = "", second] = words;
  if (words.length === 1) return readOne(first);
  if (words.length === 2 && second !== undefined) return readTwo(first, second);
  throw unrecognized(`${text.length} characters of text hold no keys that webpush understands`);
}

/** Shorter text is somebody's word, longer text some other file; in between a key that may be damaged. */
const keyLengths = { shortest: 32, longest: 200 };

function readOne(word: string): VapidKeyPair {
  const bytes = parseBase64(word);
  if (word.length < keyLengths.shortest || word.length > keyLengths.longest || /[^\w+/=-]/.test(word))
    throw unrecognized(`one word of ${word.length} characters is no key`);
  if (bytes?.length === pointBytes && bytes[0] === 4)
    return pairOf([{ publicKey: parseVapidPublicKey(word), privateKey: undefined }]);
  return keyPairOf(parseVapidPrivateKey(word));
}

function readTwo(first: string, second: string): VapidKeyPair {
  const [isFirst, isSecond] = [first, second].map((word) => parseBase64(word)?.length === pointBytes);
  if (isFirst === isSecond) {
    const what =
      isFirst === true ? "two public keys and no private key" : "two words and no public key among them";
    throw unrecognized(`there are ${what}`);
  }
  return isFirst === true ? parseKeyPair(first, second) : parseKeyPair(second, first);
}

/** One pair out of everything found: the private keys must all be the same one, the public keys its own. */
function pairOf(found: readonly FoundKeys[]): VapidKeyPair {
  const privateKeys = found.flatMap(({ privateKey }) => privateKey ?? []);
  const [privateKey] = privateKeys;
  if (privateKey === undefined) {
    throw new UserError("keys-public-only", "there is a public key and no private key", {
      hints: [
        "signing needs the private key: import the file that holds it, or make a new pair with webpush keys",
      ],
    });
  }
  if (privateKeys.some((other) => other.reveal() !== privateKey.reveal())) {
    throw new UserError("keys-ambiguous", "there are two different private keys", {
      hints: ["keep the one you mean and remove the other from the file"],
    });
  }
  const publicKeys = found.flatMap(({ publicKey }) => publicKey ?? []);
  const pair = keyPairOf(privateKey);
  const stranger = publicKeys.find((publicKey) => publicKey !== pair.publicKey);
  return stranger === undefined ? pair : parseKeyPair(stranger, privateKey.reveal());
}

function unrecognized(what: string, cause?: unknown): UserError {
  return new UserError("keys-unrecognized", what, { hints: [understood], cause });
}
