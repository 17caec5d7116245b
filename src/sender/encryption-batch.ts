/**
 * What crosses between the sender and a worker thread that encrypts for it.
 *
 * Messages go over by the batch and packed: posting costs about as much for a hundred of
 * them as for one, and more for each object than for a kilobyte. The buffers are
 * transferred, not copied, so the keys in them are in one place at a time.
 */
import type { Random } from "../base/clock.ts";
import {
  sealedMessageOf,
  type EncryptRecord,
  type Receiver,
  type SealedMessage,
} from "../protocol/encryption.ts";
import { contentEncodings, type Subscription } from "../protocol/subscription.ts";
import { createScalar } from "../protocol/vapid.ts";

/** One message to encrypt. */
export interface Sealing {
  readonly payload: Uint8Array;
  readonly to: Subscription;
}

/** A batch on its way to a thread. */
export interface SealingOrder {
  /** Each payload once, however many receive it. */
  readonly payloads: readonly Uint8Array<ArrayBuffer>[];
  /** For each message who receives it and which payload, in the layout of `receiverAt`. */
  readonly receivers: Uint8Array<ArrayBuffer>;
}

/** The same batch on its way back. */
export interface SealedBatch {
  /** The records, one behind the other. */
  readonly records: Uint8Array<ArrayBuffer>;
  /** Where each of them ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** Where in a receiver's bytes what begins. */
const receiverAt = { payload: 0, encoding: 2, p256dh: 3, auth: 68 } as const;
const receiverBytes = 84;

/** Packs messages for a thread; as many as 16 bits count. */
export function packOrder(sealings: readonly Sealing[]): SealingOrder {
  const indexes = new Map<Uint8Array, number>();
  const receivers = Buffer.from(new ArrayBuffer(sealings.length * receiverBytes));
  for (const [position, { payload, to }] of sealings.entries()) {
    const index = indexes.get(payload) ?? indexes.size;
    indexes.set(payload, index);
    const at = position * receiverBytes;
    receivers.writeUInt16LE(index, at + receiverAt.payload);
    receivers.writeUInt8(contentEncodings.indexOf(to.contentEncoding), at + receiverAt.encoding);
    receivers.write(to.p256dh, at + receiverAt.p256dh, "base64url");
    receivers.write(to.auth.reveal(), at + receiverAt.auth, "base64url");
  }
  // Copied, because the caller's payload is needed again, and may be a view into something larger.
  return { payloads: Array.from(indexes.keys(), (payload) => new Uint8Array(payload)), receivers };
}

/** Encrypts what `packOrder` packed: the thread's side. */
export function sealOrder(order: SealingOrder, encryptRecord: EncryptRecord, random: Random): SealedBatch {
  const receivers = Buffer.from(order.receivers.buffer);
  const records: Uint8Array[] = [];
  const ends = new Uint32Array(receivers.length / receiverBytes);
  let end = 0;
  for (const position of ends.keys()) {
    const at = position * receiverBytes;
    const payload = order.payloads[receivers.readUInt16LE(at + receiverAt.payload)];
    if (payload === undefined) throw new RangeError("a message of the batch has no payload");
    const material = { salt: random.bytes(16), privateKey: createScalar(random) };
    const record = encryptRecord(payload, readReceiver(receivers, at), material);
    records.push(record);
    end += record.byteLength;
    ends[position] = end;
  }
  const packed = new Uint8Array(end);
  for (const [position, record] of records.entries()) {
    packed.set(record, (ends[position] ?? 0) - record.byteLength);
  }
  return { records: packed, ends };
}

/** Unpacks what a thread made of the messages, in their order. */
export function unpackBatch(
  { records, ends }: SealedBatch,
  sealings: readonly Sealing[],
): readonly SealedMessage[] {
  return sealings.map(({ to }, position) => {
    const record = records.subarray(ends[position - 1] ?? 0, ends[position]);
    return sealedMessageOf(record, to.contentEncoding);
  });
}

function readReceiver(receivers: Buffer, at: number): Receiver {
  const contentEncoding = contentEncodings[receivers.readUInt8(at + receiverAt.encoding)];
  if (contentEncoding === undefined) throw new RangeError("a message of the batch has no coding");
  return {
    contentEncoding,
    p256dh: receivers.subarray(at + receiverAt.p256dh, at + receiverAt.auth),
    auth: receivers.subarray(at + receiverAt.auth, at + receiverBytes),
  };
}
