/**
 * What is known before the network: whether a message can reach a subscription at all.
 *
 * The services' limits come from `services.ts`, the same data that reads their
 * answers. A refusal here costs nothing and says more than the service would.
 */
import { UserError } from "../base/errors.ts";
import type { Message } from "./message.ts";
import { serviceOf, type PushServiceFacts } from "./services.ts";
import type { Subject } from "./subject.ts";
import type { Subscription } from "./subscription.ts";
import type { VapidKeyPair, VapidPublicKey } from "./vapid.ts";

/** A pair that new subscriptions were made with, from a time on. */
export interface Tenure {
  readonly pair: VapidKeyPair;
  /** In ms since 1970. */
  readonly since: number;
}

/** The keys to sign with. */
export interface SigningKeys {
  /** Signs for new subscriptions. */
  readonly current: VapidKeyPair | undefined;
  /** All at hand. */
  readonly pairs: readonly VapidKeyPair[];
  /** Which of them was current when, the earliest first; empty where that is not known. */
  readonly tenures: readonly Tenure[];
  /** When the last of them came, in ms since 1970; undefined where that is not known. */
  readonly newestAt?: number | undefined;
  readonly subject: Subject | undefined;
}

/** What is known of the key a subscription was made with. */
interface Origin {
  /** By its own word. */
  readonly applicationServerKey: VapidPublicKey | undefined;
  /** When the page handed it in, in ms since 1970; undefined for one that is not stored. */
  readonly registeredAt: number | undefined;
}

/**
 * The pair that signs for a subscription: the one it was made with (RFC 8292 §4.2). One that does not say was most
 * likely made with the pair that was current when its page handed it in.
 */
export function pickPair(
  { applicationServerKey: made, registeredAt }: Origin,
  { current, pairs, tenures }: Pick<SigningKeys, "current" | "pairs" | "tenures">,
): VapidKeyPair | undefined {
  if (made !== undefined) return pairs.find(({ publicKey }) => publicKey === made);
  if (registeredAt === undefined) return current;
  const begun = tenures.filter(({ since }) => since <= registeredAt);
  return (begun.at(-1) ?? tenures[0])?.pair ?? current;
}

/** A subscription whose key pair is not at hand, in words for a person. */
export function describeUnknownKey(made: VapidPublicKey | undefined) {
  return {
    what:
      made === undefined
        ? "it does not say which key it was made with, and none of yours is the current one"
        : `made with key ${made.slice(0, 12)}…, which is not among yours`,
    advice: "let the page subscribe again, or import that pair: webpush keys import FILE --add",
  };
}

/**
 * Checks a message against the limits of the service behind a subscription.
 *
 * @throws UserError `ttl-too-long`, `subject-missing`
 */
export function checkForService(
  message: Message,
  to: Subscription,
  { subject }: Pick<SigningKeys, "subject">,
): void {
  const { name, limits, authorization } = serviceOf(to.endpoint);
  const { maxTtlSeconds, aboveMaxTtl } = limits;
  if (maxTtlSeconds !== undefined && message.ttlSeconds > maxTtlSeconds && aboveMaxTtl === "refuse") {
    throw new UserError("ttl-too-long", `a TTL of ${message.ttlSeconds} s is more than ${name} takes`, {
      hints: [`use at most ${maxTtlSeconds} (${maxTtlSeconds / 86_400} days)`],
    });
  }
  if (subject === undefined && authorization.subjectRequired) {
    throw new UserError("subject-missing", `${name} refuses messages without a contact`, {
      kind: "credentials",
      hints: ["store one: webpush keys --subject mailto:you@your-domain"],
    });
  }
}

/** What may go differently than asked for, in words for a person. */
export function cautionsFor(message: Message, services: Iterable<PushServiceFacts>): readonly string[] {
  const cautions: string[] = [];
  for (const { name, limits } of services) {
    const { maxTtlSeconds, aboveMaxTtl, tightest } = limits;
    if (maxTtlSeconds !== undefined && message.ttlSeconds > maxTtlSeconds && aboveMaxTtl === "cut") {
      cautions.push(`${name} keeps messages for at most ${maxTtlSeconds / 86_400} days`);
    }
    if (tightest !== undefined && (message.payload?.length ?? 0) > tightest.plaintextBytes) {
      cautions.push(`${tightest.where} may refuse a payload of more than ${tightest.plaintextBytes} bytes`);
    }
  }
  return cautions;
}
