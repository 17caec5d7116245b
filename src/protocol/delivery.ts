/**
 * Answer or failure -> `Delivery`, by the rows of `diagnoses.ts`.
 *
 * One matcher for all services: what differs between vendors is data. An outcome is
 * a value, never an exception, and whatever a service answers some row covers it.
 */

import {
  readAnswer,
  readClockSkew,
  readRetryAfter,
  readTtl,
  type Answer,
  type PushResponse,
} from "./answer.ts";
import { diagnoses, diagnosisOf, type CauseId, type Diagnosis } from "./diagnoses.ts";
import type { FailureKind, Outcome, Pattern, StatusPattern } from "./diagnoses/row.ts";
import { pushServices, serviceOf, type PushServiceFacts, type ServiceId } from "./services.ts";
import type { Endpoint } from "./subscription.ts";

export type { PushResponse } from "./answer.ts";
export { diagnosisOf, isCause, type CauseId, type Diagnosis } from "./diagnoses.ts";

/** An exchange that ended without an answer. */
export interface TransportFailure {
  readonly kind: FailureKind;
  /** What happened, short and without secrets. */
  readonly message: string;
}

/** What every delivery may say. */
interface Account {
  /** The row of the diagnosis table. */
  readonly cause: CauseId;
  /** The HTTP status; absent when nothing was answered. */
  readonly status?: number;
  /** The service's own words, raw and at most 500 characters; or what kept the request from it. */
  readonly reason?: string;
  /** What the vendor's support asks for. */
  readonly requestId?: string;
  /** How long the service asks to wait, between one second and one hour. */
  readonly retryAfterMs?: number;
  /** How far the local clock is ahead of the service's. */
  readonly clockSkewMs?: number;
}

/** What became of one message (RFC 8030 §5). Switches over `outcome` must be total. */
export type Delivery =
  | (Account & {
      readonly outcome: "accepted";
      readonly status: number;
      /** The push message resource, as the service wrote it. */
      readonly location?: string;
      /** The TTL the service settled on. */
      readonly ttlSeconds?: number;
    })
  | (Account & {
      readonly outcome: "gone";
      /** Since when, in milliseconds; a subscription stored later is alive. */
      readonly goneSince?: number;
    })
  | (Account & { readonly outcome: "throttled" | "unavailable" | "wrong-key" | "rejected" })
  | (Account & { readonly outcome: "unreachable" | "ambiguous" | "blocked"; readonly reason: string });

const longestReason = 500;
const longestIdentifier = 1000;

/** What a response means. `now` is the local time at which it arrived. */
export function classifyResponse(endpoint: Endpoint, response: PushResponse, now: number): Delivery {
  const service = serviceOf(endpoint);
  const answer = readAnswer(response);
  const row = findRow(service, { answer });
  // A status outside 2xx-5xx is none of HTTP's final ones, so it says nothing about the message.
  if (row === undefined) {
    return classifyFailure(endpoint, {
      kind: "ambiguous",
      message: `status ${response.status} is no answer`,
    });
  }
  const words = withoutSecrets(answer.words, endpoint);
  const told = words === answer.words ? answer : { ...answer, words };
  const account: Account = addDetails({ cause: row.id, status: answer.status }, service, told, now);
  return deliver(row, account, answer);
}

const token = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
/** Shorter parts of an endpoint are words like `send`, and no capability. */
const shortestSecret = 12;

/**
 * A service's words without what it repeats of the request: web servers name the path they
 * did not find, and who has the path can send (RFC 8030 §8.3); debugging proxies echo it all.
 */
function withoutSecrets(words: string, endpoint: Endpoint): string {
  if (words === "") return words; // as with nearly every message that is accepted
  const { pathname, search } = new URL(endpoint);
  const parts = [endpoint, pathname + search, pathname, search, pathname.split("/").at(-1) ?? ""];
  const secrets = parts.filter((part) => part.length >= shortestSecret);
  return secrets.reduce((text, part) => text.replaceAll(part, "[secret]"), words.replace(token, "[secret]"));
}

/** What it means that no answer came. */
export function classifyFailure(endpoint: Endpoint, failure: TransportFailure): Delivery {
  const row = findRow(serviceOf(endpoint), { failure: failure.kind });
  return withoutAnswer(row ?? diagnosisOf("net.ambiguous"), failure.message);
}

/** The verdict on an endpoint behind which nothing listens any more; `undefined` for all others. */
export function classifyEndpoint(endpoint: Endpoint): Delivery | undefined {
  const service = serviceOf(endpoint);
  const row = service.dead ? findRow(service, {}) : undefined;
  return row && withoutAnswer(row, row.meaning);
}

/** A delivery that nobody was asked for, because an earlier answer settled it. */
export function withheldDelivery(cause: CauseId, reason: string): Delivery {
  return withoutAnswer(diagnosisOf(cause), reason);
}

/** What a row is matched against: an answer, a failure, or the endpoint alone. */
interface Evidence {
  readonly answer?: Answer;
  readonly failure?: FailureKind;
}

/** The rows that can speak for each service, still in order. */
const rowsOf: ReadonlyMap<ServiceId, readonly Diagnosis[]> = new Map(
  pushServices.map(({ id }) => [id, diagnoses.filter((row) => speaksFor(row, id))]),
);

function findRow({ id }: PushServiceFacts, evidence: Evidence): Diagnosis | undefined {
  return rowsOf.get(id)?.find(({ when }) => matches(when, evidence));
}

/**
 * Whether a row is about this service.
 *
 * A host nobody knows may be a vendor's software run by somebody else (autopush) or
 * an emulator. A vendor's rows speak for it too where they ask for the vendor's own
 * words; the rows that go by a bare status do not.
 */
function speaksFor({ service, when }: Diagnosis, actual: ServiceId): boolean {
  if (service === "any" || service === actual) return true;
  return actual === "other" && hasOwnWords(when);
}

function hasOwnWords({ errno, reason, text, header }: Pattern): boolean {
  return errno !== undefined || reason !== undefined || text !== undefined || header !== undefined;
}

function matches(when: Pattern, { answer, failure }: Evidence): boolean {
  if (when.failure !== undefined) return when.failure === failure;
  if (when.status === undefined) return true;
  return answer !== undefined && matchesAnswer(when, when.status, answer);
}

function matchesAnswer(when: Pattern, status: readonly StatusPattern[], answer: Answer): boolean {
  return (
    status.some((pattern) => isStatus(pattern, answer.status)) &&
    (when.errno === undefined || (answer.errno !== undefined && when.errno.includes(answer.errno))) &&
    (when.reason === undefined || when.reason === answer.reason) &&
    (when.text === undefined || containsAny(answer.words, when.text)) &&
    (when.header === undefined || matchesHeader(when.header, answer.headers))
  );
}

function isStatus(pattern: StatusPattern, status: number): boolean {
  if (typeof pattern === "number") return pattern === status;
  return pattern[0] <= status && status <= pattern[1];
}

function matchesHeader(
  { names, text }: NonNullable<Pattern["header"]>,
  headers: Readonly<Record<string, string>>,
): boolean {
  return names.some((name) => containsAny(headers[name] ?? "", text));
}

function containsAny(words: string, parts: readonly string[]): boolean {
  const folded = words.toLowerCase();
  return parts.some((part) => folded.includes(part.toLowerCase()));
}

/** Adds what the answer says besides. One object is filled in: spreading parts into a new one is what costs here. */
function addDetails(
  account: Writable<Account>,
  { requestIdHeaders }: PushServiceFacts,
  { headers, words }: Answer,
  now: number,
): Account {
  const requestId = requestIdHeaders.find((name) => headers[name] !== undefined);
  const retryAfterMs = readRetryAfter(headers, now);
  const clockSkewMs = readClockSkew(headers, now);
  if (words !== "") account.reason = words.slice(0, longestReason);
  if (requestId !== undefined) account.requestId = (headers[requestId] ?? "").slice(0, longestIdentifier);
  if (retryAfterMs !== undefined) account.retryAfterMs = retryAfterMs;
  if (clockSkewMs !== undefined) account.clockSkewMs = clockSkewMs;
  return account;
}

/** While it is being put together. */
type Writable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] };

function deliver(row: Diagnosis, account: Account, answer: Answer): Delivery {
  const { outcome } = row;
  switch (outcome) {
    case "accepted":
      return accept(account, answer);
    case "gone":
      return {
        ...account,
        outcome,
        ...(answer.timestamp === undefined ? undefined : { goneSince: answer.timestamp }),
      };
    case "throttled":
    case "unavailable":
    case "wrong-key":
    case "rejected":
      return { ...account, outcome };
    case "unreachable":
    case "ambiguous":
    case "blocked":
      return { ...account, outcome, reason: account.reason ?? row.meaning };
    default:
      return outcome satisfies never;
  }
}

function accept(account: Account, { status, headers }: Answer): Delivery {
  const delivery: Writable<Extract<Delivery, { outcome: "accepted" }>> = {
    ...account,
    outcome: "accepted",
    status,
  };
  const location = headers["location"];
  const ttlSeconds = readTtl(headers);
  if (location !== undefined) delivery.location = location.slice(0, longestIdentifier);
  if (ttlSeconds !== undefined) delivery.ttlSeconds = ttlSeconds;
  return delivery;
}

/** The delivery of a row that no response belongs to. */
function withoutAnswer(row: Diagnosis, words: string): Delivery {
  const reason = words.slice(0, longestReason);
  const outcome: Outcome = row.outcome;
  // "accepted" needs a response; no such row is ever reached without one.
  if (outcome === "accepted") return { outcome: "ambiguous", cause: "net.ambiguous", reason };
  return { outcome, cause: row.id, reason };
}
