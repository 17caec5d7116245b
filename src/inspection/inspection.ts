/**
 * What an inspection tells: facts in order, and judgements on them.
 *
 * Every inspector answers this shape, for text and JSON alike. A fact never holds a
 * secret: whoever inspects a private key or an endpoint learns about it, and has it already.
 */
import type { Clock, Random } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { ReceiverKeys } from "../protocol/decryption.ts";
import type { Endpoint } from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";

/** What was found to be inspected. */
export const inspectionKinds = [
  "subscription",
  "endpoint",
  "key",
  "token",
  "body",
  "request",
  "response",
  "cause",
] as const;

export type InspectionKind = (typeof inspectionKinds)[number];

/** One thing that is known, by a name that is part of the `--json` contract. */
export interface Fact {
  readonly name: string;
  readonly value: string | number | boolean | null | readonly string[];
  /** For people, where the value alone does not say it. */
  readonly text?: string;
}

/** `good`: checked and right. `note`: worth knowing. `warning`: works, but not everywhere. `problem`: does not work. */
export type JudgementLevel = "good" | "note" | "warning" | "problem";

export interface Judgement {
  readonly level: JudgementLevel;
  readonly what: string;
  /** What to do, one imperative line. */
  readonly fix?: string;
}

export interface Inspection {
  readonly kind: InspectionKind;
  /** How it was read: `a push subscription`. */
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly judgements: readonly Judgement[];
}

/** What is known besides the thing itself. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** The project's VAPID public keys; the current one signs for new subscriptions. */
  readonly keys: readonly { readonly publicKey: VapidPublicKey; readonly isCurrent: boolean }[];
  /** The keys of a receiver that may be able to read a message. */
  readonly receivers: readonly ReceiverKeys[];
  /** The endpoint that a token, body or response belongs to (`--for`). */
  readonly endpoint: Endpoint | undefined;
  /** The key to check a token with that does not bring one (`--key`). */
  readonly key: VapidPublicKey | undefined;
  /** Show endpoints whole. */
  readonly reveal: boolean;
  /** The bytes of a file that a curl command names. */
  readonly readFile: (name: string) => Promise<Uint8Array>;
}

/** A fact; those without a value are left out by `factsOf`. */
export function fact(name: string, value: Fact["value"] | undefined, text?: string): Fact | undefined {
  return value === undefined ? undefined : { name, value, ...(text === undefined ? {} : { text }) };
}

/** The facts that there are, in order. */
export function factsOf(...facts: readonly (Fact | undefined)[]): readonly Fact[] {
  return facts.filter((one) => one !== undefined);
}

/** What `read` answers, or the refusal as a judgement. */
export function attempt<Value>(
  read: () => Value,
): { readonly value: Value } | { readonly value: undefined; readonly problem: Judgement } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { value: undefined, problem: problemOf(error) };
  }
}

/** A refusal of ours as a judgement. */
function problemOf({ message, hints }: UserError): Judgement {
  const [fix] = hints;
  return { level: "problem", what: message, ...(fix === undefined ? {} : { fix }) };
}

/** What a VAPID public key is to the project. */
export function relationOf(
  publicKey: VapidPublicKey,
  { keys }: Pick<Surroundings, "keys">,
): "current" | "older" | "foreign" | undefined {
  const known = keys.find((one) => one.publicKey === publicKey);
  if (known !== undefined) return known.isCurrent ? "current" : "older";
  return keys.length === 0 ? undefined : "foreign";
}

/** The same in words. */
export const relationWords = {
  current: "this project's current key",
  older: "an older key of this project",
  foreign: "none of this project's keys",
} as const;
