/**
 * Every way the emulator says no, as data: the status, the section of the RFC that asks for it, its name.
 *
 * The state machine and the doors refuse by code. A door answers with the facts
 * of this table; a personality of a vendor can map the same codes to that
 * vendor's status and body, so the rules themselves stand in one place.
 */

import type { VapidDefect } from "../protocol/vapid-verification.ts";
import type { PersonalityId } from "./personalities.ts";

interface RefusalFacts {
  readonly status: number;
  /** Where the rule is written. */
  readonly reference: string;
}

/** What each refusal means on the wire. */
const refusals = {
  "no-such-resource": { status: 404, reference: "RFC 8030 §8.3: a resource is known by its unguessable URL" },
  "no-such-subscription": { status: 404, reference: "RFC 8030 §7.3" },
  "subscription-expired": { status: 404, reference: "RFC 8030 §7.3" },
  "subscription-gone": { status: 410, reference: "RFC 8030 §7.3, RFC 9110 §15.5.11" },
  "taken-over": { status: 409, reference: "a subscription has one receiver, and its latest request counts" },
  "no-such-message": { status: 404, reference: "RFC 8030 §6.2" },
  "no-such-receipt-subscription": { status: 404, reference: "RFC 8030 §6.3" },
  "method-not-allowed": { status: 405, reference: "RFC 9110 §15.5.6" },
  "ttl-missing": { status: 400, reference: "RFC 8030 §5.2" },
  "ttl-malformed": { status: 400, reference: "RFC 8030 §5.2" },
  "ttl-negative": { status: 400, reference: "RFC 8030 §5.2" },
  "ttl-too-long": { status: 400, reference: "a vendor's limit: protocol/services.ts" },
  "cache-policy-conflict": { status: 400, reference: "WNS, X-WNS-Cache-Policy" },
  "urgency-malformed": { status: 400, reference: "RFC 8030 §5.3" },
  "topic-malformed": { status: 400, reference: "RFC 8030 §5.4" },
  "prefer-malformed": { status: 400, reference: "RFC 7240 §4.3" },
  "receipt-subscription-invalid": { status: 400, reference: "RFC 8030 §5.1" },
  "subscription-set-invalid": { status: 400, reference: "RFC 8030 §4.1" },
  "vapid-missing": { status: 401, reference: "RFC 8292 §4.2" },
  "vapid-invalid": { status: 403, reference: "RFC 8292 §2, §4.2" },
  "vapid-wrong-key": { status: 403, reference: "RFC 8292 §4.2" },
  "content-encoding-missing": { status: 400, reference: "RFC 8291 §4" },
  "content-encoding-unknown": { status: 400, reference: "RFC 8291 §4" },
  "encryption-headers-missing": { status: 400, reference: "draft-ietf-webpush-encryption-04 §3" },
  "content-length-missing": { status: 400, reference: "WNS takes no chunked body" },
  "body-too-large": { status: 413, reference: "RFC 8030 §7.2" },
  "too-many-messages": { status: 429, reference: "RFC 8030 §8.4" },
  "too-many-subscriptions": { status: 429, reference: "RFC 8030 §4.1, §8.4" },
  "too-many-receipt-subscriptions": { status: 429, reference: "RFC 8030 §5.1" },
  "options-malformed": { status: 400, reference: "RFC 8292 §4.1" },
  "personality-unknown": { status: 400, reference: "strict, fcm, mozilla, apple and wns are known" },
  "options-type": { status: 415, reference: "RFC 8292 §4.1" },
  "check-in-malformed": { status: 400, reference: "Chromium's check-in" },
  "registration-malformed": { status: 400, reference: "Chromium's registration" },
  "device-unauthorized": { status: 401, reference: "Chromium's registration" },
  "sender-invalid": {
    status: 400,
    reference: "Chromium's registration: sender is the page's applicationServerKey",
  },
  "host-not-allowed": { status: 421, reference: "RFC 9110 §15.5.20" },
  "certificate-untrusted": { status: 400, reference: "RFC 8446 §6.2" },
  "tunnel-not-allowed": { status: 403, reference: "RFC 9110 §9.3.6" },
  "cross-site": { status: 403, reference: "a page of another site has no business here" },
  "request-malformed": { status: 400, reference: "RFC 9112 §2.2" },
  "request-timeout": { status: 408, reference: "RFC 9110 §15.5.9" },
  "headers-too-large": { status: 431, reference: "RFC 6585 §5" },
  "too-many-connections": { status: 503, reference: "RFC 9110 §15.6.4" },
  internal: { status: 500, reference: "RFC 9110 §15.6.1" },
} as const satisfies Readonly<Record<string, RefusalFacts>>;

/** The permanent name of a refusal. */
export type RefusalCode = keyof typeof refusals;

/** One refusal: what was wrong, in words, with the status that goes with it. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: RefusalCode;
  readonly status: number;
  /** What was wrong, with the offending value; lower case, no full stop. */
  readonly reason: string;
  readonly reference: string;
  /** When to come back, for a 429. */
  readonly retryAfterSeconds?: number;
  /** What exactly was wrong with a VAPID token: vendors have their own words for each. */
  readonly defect?: VapidDefect;
  /** What is remembered of a subscription that is no more. */
  readonly ended?: {
    readonly endedAt?: number | undefined;
    readonly personality?: PersonalityId | undefined;
  };
}

/** The refusal `code` for `reason`. */
export function refuse(code: RefusalCode, reason: string, retryAfterSeconds?: number): Refusal {
  const { status, reference } = refusals[code];
  const refusal = { kind: "refused", code, status, reason, reference } as const;
  return retryAfterSeconds === undefined ? refusal : { ...refusal, retryAfterSeconds };
}

/** There is no such message any more. */
export function unknownMessage(): Refusal {
  return refuse(
    "no-such-message",
    "this message never existed, or was acknowledged, replaced, cancelled or expired",
  );
}

/** There is no such receipt subscription. */
export function unknownReceipts(): Refusal {
  return refuse("no-such-receipt-subscription", "this receipt subscription does not exist");
}
