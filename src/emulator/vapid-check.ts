/** Who sends: the VAPID token of a push request, verified as a strict service does (RFC 8292). */
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { VapidScheme } from "../protocol/services.ts";
import { verifyVapid, type SubjectRule } from "../protocol/vapid-verification.ts";
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
  const verdict = verifyVapid(credentials, expected);
  if (verdict.ok) return { kind: "read", value: verdict.publicKey };
  return { ...refuse("vapid-invalid", verdict.message), defect: verdict.defect };
}
