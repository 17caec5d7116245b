/**
 * Check-in: how a new browser profile becomes a device with an id and a secret.
 *
 * Nothing is remembered. A profile that has an id already is given it back, so that it outlives this service's
 * state; the 63 random bits of an id are all that keeps devices apart, as the subscription's own id does in
 * RFC 8030.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Clock, Random } from "../../base/clock.ts";
import { refuse, type Refusal } from "../refusals.ts";
import { readFields } from "./protobuf-fields.ts";

/** A device id and the secret that goes with it. */
export interface DeviceIdentity {
  readonly kind: "device";
  readonly id: bigint;
  readonly secret: bigint;
}

/** The identity a check-in brings along or, when it has none, a new one. */
export function identityOf(body: Uint8Array, random: Random): DeviceIdentity | Refusal {
  const fields = readFields(body);
  const version = fields?.number(14);
  if (fields === undefined || version === undefined)
    return refuse("check-in-malformed", "the body is not an AndroidCheckinRequest");
  const [id = 0n, secret = 0n] = [fields.integer(2), fields.integer(13)];
  if (id !== 0n && secret !== 0n) return { kind: "device", id, secret };
  return { kind: "device", id: newNumber(random), secret: newNumber(random) };
}

/** Above 0 and below 2^63: ids come back in decimal, and programs differ in whether those are signed. */
function newNumber(random: Random): bigint {
  const drawn = Buffer.from(random.bytes(8)).readBigUInt64BE() >> 1n;
  return drawn === 0n ? 1n : drawn;
}

/** The answer to a check-in; the next is due in two days. */
export function checkInResponse({ id, secret }: DeviceIdentity, clock: Clock): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).bool(true);
  writer.tag(3, WireType.Varint).int64(clock.now());
  writer.tag(7, WireType.Bit64).fixed64(id);
  writer.tag(8, WireType.Bit64).fixed64(secret);
  writer.tag(9, WireType.Varint).bool(false); // no settings differ: there are none
  return writer.finish();
}
