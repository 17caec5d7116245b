/**
 * Whose push service a subscription behaves as: the RFCs to the letter, or one of the vendors.
 *
 * What a personality takes stands in protocol/services.ts and what it answers in
 * protocol/diagnoses; how it looks at a request is in personalities/, one file each.
 */
import { factsOf, servesHost, type PushServiceFacts } from "../protocol/services.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { CompleteLimits } from "./limits.ts";

/** Every personality, `strict` being no vendor's. */
export const personalityIds = ["strict", "fcm", "mozilla", "apple", "wns"] as const;

export type PersonalityId = (typeof personalityIds)[number];

/** The personality of a name; `undefined` when there is none. */
export function parsePersonality(text: string): PersonalityId | undefined {
  return personalityIds.find((id) => id === text);
}

/** What is known of the vendor; `undefined` for `strict`. */
export function vendorOf(personality: PersonalityId): PushServiceFacts | undefined {
  return personality === "strict" ? undefined : factsOf(personality);
}

/** What one subscription is held to. */
export type MessageLimits = Pick<CompleteLimits, "maxBodyBytes" | "maxTtlSeconds">;

/** RFC 8030 §5.2: the largest TTL that must be understood. */
const longestTtl = 2 ** 31;

/** The limits of a vendor are its own, those of `strict` are set. */
export function messageLimitsOf(personality: PersonalityId, limits: CompleteLimits): MessageLimits {
  const vendor = vendorOf(personality)?.limits;
  if (vendor === undefined) return limits;
  return { maxBodyBytes: vendor.bodyBytes, maxTtlSeconds: vendor.maxTtlSeconds ?? longestTtl };
}

/** What an endpoint is made of. */
interface Addressee {
  readonly pushId: string;
  readonly applicationServerKey: VapidPublicKey | undefined;
  readonly personality: PersonalityId;
}

/**
 * The endpoint of a subscription for whoever addresses the service as `origin`.
 *
 * Its path is the vendor's, so that `send` knows whose rules it meets. Apple and WNS have paths
 * that say nothing by themselves; on this machine, where the host does not say it, another stands
 * for them (`loopbackPaths` in protocol/services.ts).
 */
export function endpointOf(subscription: Addressee, origin: string): string {
  const { pushId, applicationServerKey, personality } = subscription;
  const isAtHome = isHostOf(personality, new URL(origin).hostname);
  switch (personality) {
    case "strict":
      return `${origin}/push/${pushId}`;
    case "fcm":
      return `${origin}/fcm/send/${pushId}`;
    case "mozilla":
      return `${origin}/wpush/${applicationServerKey === undefined ? "v1" : "v2"}/${pushId}`;
    case "apple":
      return isAtHome ? `${origin}/${pushId}` : `${origin}/apple/${pushId}`;
    case "wns":
      return isAtHome ? `${origin}/w/?token=${pushId}` : `${origin}/wns/?token=${pushId}`;
    default:
      return personality satisfies never;
  }
}

/** The origin of a vendor's endpoints as its browsers have them; `undefined` for `strict`. */
export function vendorOriginOf(personality: PersonalityId): string | undefined {
  switch (personality) {
    case "strict":
      return undefined;
    case "fcm":
      return "https://fcm.googleapis.com";
    case "mozilla":
      return "https://updates.push.services.mozilla.com";
    case "apple":
      return "https://web.push.apple.com";
    case "wns":
      return "https://wns2-par02p.notify.windows.com";
    default:
      return personality satisfies never;
  }
}

/** Whether a host name is the vendor's. */
export function isHostOf(personality: PersonalityId, hostname: string): boolean {
  const vendor = vendorOf(personality);
  return vendor !== undefined && servesHost(vendor, hostname);
}
