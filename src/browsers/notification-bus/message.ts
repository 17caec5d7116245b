/**
 * D-Bus messages: a header of fields and a body of values (D-Bus specification, "Message Format").
 *
 * Pure: messages to bytes, and the first message of a stream's bytes.
 */
import { marshal, unmarshal, isList, isVariant, type ByteOrder } from "./marshalling.ts";
import { DbusFormatError, type DbusValue } from "./signature.ts";

export type MessageKind = "call" | "return" | "error" | "signal";

/** One message. A call names a path and a member, an answer the serial of its call. */
export interface DbusMessage {
  readonly kind: MessageKind;
  readonly serial: number;
  /** The caller wants no answer. */
  readonly isUnanswered?: boolean;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly sender?: string | undefined;
  readonly signature?: string | undefined;
  readonly body: readonly DbusValue[];
}

/** By their numbers on the wire. */
const kinds: readonly (MessageKind | undefined)[] = [undefined, "call", "return", "error", "signal"];
const unansweredFlag = 1;
/** Fixed part, the header's array of fields, padding. */
const fieldsAt = 12;
/** Far more than any notification with its icon needs; the specification's bound is 128 MiB. */
const maxMessageBytes = 32 * 1024 * 1024;

/** Header fields that are texts: name, code on the wire, type. */
const textFields = [
  ["path", 1, "o"],
  ["interface", 2, "s"],
  ["member", 3, "s"],
  ["errorName", 4, "s"],
  ["destination", 6, "s"],
  ["sender", 7, "s"],
  ["signature", 8, "g"],
] as const;
const replySerialCode = 5;

/** The bytes of a message. */
export function encodeMessage(message: DbusMessage, order: ByteOrder = "little"): Buffer {
  const body = marshal(message.signature ?? "", message.body, order);
  const fields: DbusValue[] = textFields.flatMap(([name, code, type]) => {
    const value = message[name];
    return value === undefined ? [] : [[code, { signature: type, value }]];
  });
  if (message.replySerial !== undefined)
    fields.push([replySerialCode, { signature: "u", value: message.replySerial }]);
  const flags = message.isUnanswered === true ? unansweredFlag : 0;
  const mark = (order === "little" ? "l" : "B").charCodeAt(0);
  const fixed = [mark, kinds.indexOf(message.kind), flags, 1, body.length, message.serial];
  const header = marshal("yyyyuua(yv)", [...fixed, fields], order);
  return Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8), body]);
}

/**
 * The first message of what has arrived, and how many bytes it took; `undefined` while some of it is missing.
 *
 * @throws DbusFormatError
 */
export function decodeMessage(
  bytes: Buffer,
): { readonly message: DbusMessage; readonly size: number } | undefined {
  if (bytes.length < fieldsAt + 4) return undefined;
  const { order, kind, isUnanswered, bodyAt, size, serial } = readStart(bytes);
  if (bytes.length < size) return undefined;
  const fields = readFields(unmarshal("yyyyuua(yv)", bytes, order).values[6]);
  const { values } = unmarshal(fields.signature ?? "", bytes.subarray(bodyAt, size), order);
  return { message: { kind, serial, isUnanswered, ...fields, body: values }, size };
}

/** The part that is the same in every message. */
function readStart(bytes: Buffer) {
  const order = byteOrderOf(bytes[0]);
  const { values } = unmarshal("yyyyuuu", bytes, order);
  const [, type = 0, flags = 0, version = 0, bodyBytes = 0, serial = 0, fieldBytes = 0] = values.map(Number);
  const kind = kinds[type];
  if (kind === undefined) throw new DbusFormatError(`a message of type ${type} is not known`);
  if (version !== 1) throw new DbusFormatError(`version ${version} of the protocol is not known`);
  const bodyAt = fieldsAt + 4 + Math.ceil(fieldBytes / 8) * 8;
  const size = bodyAt + bodyBytes;
  if (size > maxMessageBytes) throw new DbusFormatError(`a message of ${size} bytes is too long`);
  return { order, kind, isUnanswered: (flags & unansweredFlag) !== 0, bodyAt, size, serial };
}

type Fields = { -readonly [Name in (typeof textFields)[number][0]]?: string } & { replySerial?: number };

function readFields(list: DbusValue | undefined): Fields {
  const fields: Fields = {};
  for (const field of isList(list) ? list : []) {
    const [code, variant] = isList(field) ? field : [];
    const value = isVariant(variant) ? variant.value : undefined;
    if (code === replySerialCode && typeof value === "number") fields.replySerial = value;
    const text = textFields.find(([, number]) => number === code);
    if (text !== undefined && typeof value === "string") fields[text[0]] = value;
  }
  return fields;
}

function byteOrderOf(mark: number | undefined): ByteOrder {
  if (mark === 0x6c) return "little";
  if (mark === 0x42) return "big";
  throw new DbusFormatError("a message does not begin with a byte order");
}
