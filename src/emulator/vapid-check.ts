/** Who sends: the VAPID token of a push request, verified as a strict service does (RFC 8292). */
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { VapidScheme } from "../protocol/services.ts";
import { isLoopbackHost } from "../protocol/subscription.ts";
import { verifyVapid, type SubjectRule, type VapidVerdict } from "../protocol/vapid-verification.ts";
import { headerOf, type Read, type RequestHeaders } from "./push-headers.ts";
import { refuse, type Refusal } from "./refusals.ts";

/** What the check needs to know besides the headers. */
export interface VapidContext {
  /** The origin the request was sent to, which the token must be for. */
  readonly audience: string;
  readonly now: number;
  readonly schemes: readonly VapidScheme[];
  readonly subject: SubjectRule;
}

/** The key of the sender; `undefined` without a token. A token that is not valid is refused, needed or not. */
export function readSender(
  headers: RequestHeaders,
  expected: VapidContext,
): Read<VapidPublicKey | undefined> | Refusal {
  const authorization = headerOf(headers, "authorization");
  if (authorization === undefined) return { kind: "read", value: undefined };
  const cryptoKey = headerOf(headers, "crypto-key");
  const credentials = { authorization, ...(cryptoKey === undefined ? {} : { "crypto-key": cryptoKey }) };
  const verdict = verifyForAny(credentials, expected);
  if (verdict.ok) return { kind: "read", value: verdict.publicKey };
  return { ...refuse("vapid-invalid", verdict.message), defect: verdict.defect };
}

/** The verdict for the origin, or for its twin when the token turns out to be for that. */
function verifyForAny(credentials: Parameters<typeof verifyVapid>[0], expected: VapidContext): VapidVerdict {
  const verdict = verifyVapid(credentials, expected);
  const twin = twinOf(expected.audience);
  if (verdict.ok || verdict.defect !== "audience" || twin === undefined) return verdict;
  const forTwin = verifyVapid(credentials, { ...expected, audience: twin });
  return forTwin.ok || forTwin.defect !== "audience" ? forTwin : verdict;
}

/**
 * The same port with the other scheme: here both are one. Senders as web-push speak TLS to an `http:`
 * endpoint too, and sign for the endpoint as it is written.
 */
function twinOf(origin: string): string | undefined {
  const { hostname, host, protocol } = new URL(origin);
  if (!isLoopbackHost(hostname)) return undefined;
  return protocol === "https:" ? `http://${host}` : `https://${host}`;
}
