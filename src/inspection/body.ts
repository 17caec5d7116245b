/** An encrypted message body: its header, its sizes, and with the receiver's keys what it says. */
import { formatBase64url } from "../base/bytes.ts";
import { assertMessageHeader, decrypt, DecryptionError, type ReceiverKeys } from "../protocol/decryption.ts";
import { pushServices } from "../protocol/services.ts";
import { isRecord } from "../protocol/spellings.ts";
import {
  fact,
  factsOf,
  type Fact,
  type Inspection,
  type Judgement,
  type Surroundings,
} from "./inspection.ts";

/** RFC 8188 §2.1 and RFC 8291 §4: where the fields of a body are. */
const field = { salt: 0, recordSize: 16, keyIdLength: 20, keyId: 21, ciphertext: 86 } as const;
const tagBytes = 16;
const title = "an encrypted push message";

type Headers = Readonly<Record<string, string>>;

const standardHeaders: Headers = { "content-encoding": "aes128gcm" };

/** Explains a body; `headers` are those it came with, in lower case: aesgcm cannot be read without. */
export function inspectBody(
  body: Uint8Array,
  { receivers }: Pick<Surroundings, "receivers">,
  headers: Headers = standardHeaders,
): Inspection {
  const coding = headers["content-encoding"]?.trim().toLowerCase();
  const isStandard = coding === "aes128gcm";
  const defect = isStandard ? headerDefect(body) : undefined;
  const opened = defect === undefined ? openWith(body, headers, receivers) : undefined;
  return {
    kind: "body",
    title,
    facts: [
      ...factsOf(fact("encoding", coding), fact("bytes", body.length)),
      ...(isStandard && defect === undefined ? headerFacts(body, opened?.plaintext === undefined) : []),
      ...plaintextFacts(body, opened?.plaintext, isStandard),
    ],
    judgements: [...judgeHeader(defect, coding), ...judgeSize(body), ...judgeOpened(opened)],
  };
}

function headerDefect(body: Uint8Array): DecryptionError | undefined {
  try {
    assertMessageHeader(body);
    return undefined;
  } catch (error) {
    if (error instanceof DecryptionError) return error;
    throw error;
  }
}

function headerFacts(body: Uint8Array, isSealed: boolean): readonly Fact[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const sealed = bytes.length - field.ciphertext;
  const most = sealed - tagBytes - 1;
  return factsOf(
    fact("salt", formatBase64url(bytes.subarray(field.salt, field.recordSize))),
    fact("recordSize", bytes.readUInt32BE(field.recordSize)),
    fact("senderKey", formatBase64url(bytes.subarray(field.keyId, field.ciphertext))),
    fact("ciphertextBytes", sealed, `${sealed}, of which ${tagBytes} are the tag`),
    isSealed ? fact("mostPlaintextBytes", most, `at most ${most} bytes`) : undefined,
  );
}

interface Opened {
  readonly plaintext: Uint8Array | undefined;
  readonly why: DecryptionError | undefined;
}

/** The plaintext by whichever receiver can read it; undefined when there is none to try. */
function openWith(
  body: Uint8Array,
  headers: Headers,
  receivers: readonly ReceiverKeys[],
): Opened | undefined {
  let why: DecryptionError | undefined;
  for (const keys of receivers) {
    try {
      return { plaintext: decrypt(body, headers, keys), why: undefined };
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      why = error;
    }
  }
  return why === undefined ? undefined : { plaintext: undefined, why };
}

function plaintextFacts(
  body: Uint8Array,
  plaintext: Uint8Array | undefined,
  isStandard: boolean,
): readonly Fact[] {
  if (plaintext === undefined) return [];
  const text = textOf(plaintext);
  const padding = isStandard ? body.length - field.ciphertext - tagBytes - 1 - plaintext.length : undefined;
  return factsOf(
    fact("plaintextBytes", plaintext.length),
    fact("paddingBytes", padding),
    fact(
      "plaintext",
      text ?? Buffer.from(plaintext).toString("base64"),
      text === undefined ? "bytes that are no text; --json has them as base64" : text,
    ),
    fact("notification", text === undefined ? undefined : titleIn(text)),
  );
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The title of a notification in Declarative Web Push's form, or as many workers have it. */
function titleIn(text: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const notification = isRecord(json) && isRecord(json["notification"]) ? json["notification"] : json;
  const found = isRecord(notification) ? notification["title"] : undefined;
  return typeof found === "string" ? found : undefined;
}

function judgeHeader(defect: DecryptionError | undefined, coding: string | undefined): readonly Judgement[] {
  const isStandard = coding === "aes128gcm";
  if (defect !== undefined) {
    return [
      {
        level: "problem",
        what: defect.message,
        fix: "encrypt as RFC 8291 says: one record, the sender's key in the header",
      },
    ];
  }
  if (isStandard) return [{ level: "good", what: "the header is one that RFC 8291 allows" }];
  if (coding !== "aesgcm") {
    const what =
      coding === undefined ? "there is no Content-Encoding" : "the Content-Encoding is none of web push";
    return [{ level: "problem", what, fix: "send an encrypted body with Content-Encoding: aes128gcm" }];
  }
  return [
    {
      level: "warning",
      what: "the coding is a draft's: Apple's service does not take it",
      fix: "send aes128gcm",
    },
  ];
}

function judgeSize(body: Uint8Array): readonly Judgement[] {
  const refusing = pushServices.filter(
    ({ id, dead, limits }) => id !== "other" && !dead && limits.bodyBytes < body.length,
  );
  if (refusing.length === 0) return [];
  const names = refusing.map(({ name, limits }) => `${name} (${limits.bodyBytes})`).join(", ");
  return [
    {
      level: "problem",
      what: `${body.length} bytes are more than some push services take: ${names}`,
      fix: "shorten the payload to 3993 bytes",
    },
  ];
}

function judgeOpened(opened: Opened | undefined): readonly Judgement[] {
  if (opened === undefined) {
    return [
      {
        level: "note",
        what: "only its receiver can read it",
        fix: "add --receiver NAME or --receiver-keys FILE to decrypt it",
      },
    ];
  }
  if (opened.why === undefined) return [{ level: "good", what: "decrypted with the receiver's keys" }];
  return [
    {
      level: "problem",
      what: `the receiver cannot read it: ${opened.why.message}`,
      fix: "compare the p256dh and auth that it was encrypted for with the receiver's",
    },
  ];
}
