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

/** The keys to sign with: all pairs at hand, and the one for subscriptions that name none. */
export interface SigningKeys {
  readonly current: VapidKeyPair | undefined;
  readonly pairs: readonly VapidKeyPair[];
  readonly subject: Subject | undefined;
}

/** The pair that signs for a subscription: the one it was made with (RFC 8292 §4.2), else the current one. */
export function pickPair(
  made: VapidPublicKey | undefined,
  { current, pairs }: Pick<SigningKeys, "current" | "pairs">,
): VapidKeyPair | undefined {
  if (made === undefined) return current;
  return pairs.find(({ publicKey }) => publicKey === made);
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
