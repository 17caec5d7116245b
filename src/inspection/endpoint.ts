/** An endpoint: whose it is, what its push service takes, and why `send` would refuse it. */
import { classifyEndpoint, diagnosisOf } from "../protocol/delivery.ts";
import { hasKnownHost, pushServices, servesHost, serviceLabel, serviceOf } from "../protocol/services.ts";
import {
  endpointOrigin,
  isLoopbackEndpoint,
  parseEndpoint,
  shortenEndpoint,
  subscriptionId,
  type Endpoint,
} from "../protocol/subscription.ts";
import {
  attempt,
  fact,
  factsOf,
  type Fact,
  type Inspection,
  type Judgement,
  type Surroundings,
} from "./inspection.ts";

/** Salt, record size, key and its length, delimiter and tag (RFC 8291 §4). */
const overheadBytes = 103;

/** Explains the text of an endpoint. */
export function inspectEndpoint(text: string, surroundings: Pick<Surroundings, "reveal">): Inspection {
  const read = attempt(() => parseEndpoint(text.trim()));
  const title = "an endpoint, where messages for one browser are posted";
  if (read.value === undefined) {
    return {
      kind: "endpoint",
      title,
      facts: looseFacts(text),
      judgements: [read.problem, ...lookAlike(text)],
    };
  }
  const endpoint = read.value;
  return {
    kind: "endpoint",
    title,
    facts: endpointFacts(endpoint, surroundings),
    judgements: judgeEndpoint(endpoint),
  };
}

/** What there is to know about an endpoint. */
export function endpointFacts(endpoint: Endpoint, { reveal }: Pick<Surroundings, "reveal">): readonly Fact[] {
  const { browsers, limits, encodings, authorization } = serviceOf(endpoint);
  const { bodyBytes, maxTtlSeconds, topic, urgency, ttlZeroHeaders } = limits;
  const plaintext = Math.min(bodyBytes, 4096) - overheadBytes;
  const days = maxTtlSeconds === undefined ? undefined : maxTtlSeconds / 86_400;
  const cut = limits.aboveMaxTtl === "cut" ? "; longer ones are cut" : "";
  return factsOf(
    fact("endpoint", reveal ? endpoint : shortenEndpoint(endpoint)),
    fact("service", serviceLabel(endpoint)),
    fact("browsers", browsers.length === 0 ? undefined : browsers),
    fact("audience", endpointOrigin(endpoint), `${endpointOrigin(endpoint)}, the aud of its tokens`),
    fact("id", subscriptionId(endpoint), `${subscriptionId(endpoint)}, its name in webpush subscriptions`),
    fact("payloadBytes", plaintext, `up to ${plaintext} bytes${tightestOf(limits.tightest)}`),
    fact("maxTtlSeconds", maxTtlSeconds, days === undefined ? undefined : `up to ${days} days${cut}`),
    fact(
      "ttlZeroHeaders",
      Object.keys(ttlZeroHeaders).length === 0 ? undefined : Object.keys(ttlZeroHeaders),
    ),
    fact("topic", topic, topicWords[topic]),
    fact("urgency", urgency),
    fact("encodings", encodings),
    fact(
      "subjectRequired",
      authorization.subjectRequired,
      authorization.subjectRequired ? "required" : "not required",
    ),
  );
}

const topicWords = {
  rfc8030: "up to 32 base64url characters",
  base64url: "up to 32 base64url characters, of a length that base64 can have (not 1, 5, 9, 13…)",
  unknown: "not documented",
} as const;

function tightestOf(
  tightest: { readonly plaintextBytes: number; readonly where: string } | undefined,
): string {
  return tightest === undefined ? "" : `; ${tightest.where} takes ${tightest.plaintextBytes}`;
}

/** What is right and wrong about an endpoint that reads as one. */
export function judgeEndpoint(endpoint: Endpoint): readonly Judgement[] {
  const { hostname, port } = new URL(endpoint);
  const dead = classifyEndpoint(endpoint);
  if (dead !== undefined) {
    const { meaning, advice } = diagnosisOf(dead.cause);
    return [{ level: "problem", what: `${meaning} (${dead.cause})`, fix: advice }];
  }
  if (isLoopbackEndpoint(endpoint))
    return [{ level: "note", what: "a push service on this machine, such as webpush emulator" }];
  const unusualPort: readonly Judgement[] =
    port === ""
      ? []
      : [
          {
            level: "warning",
            what: `port ${port}: send only uses 443`,
            fix: `add --allow-host ${hostname}:${port} if this push service is yours`,
          },
        ];
  if (hasKnownHost(endpoint))
    return [{ level: "good", what: "the host is the push service's own" }, ...unusualPort];
  const unknown: Judgement = {
    level: "note",
    what: "a push service that webpush does not know: the RFCs' limits are assumed",
  };
  return [...(lookAlike(endpoint).length > 0 ? lookAlike(endpoint) : [unknown]), ...unusualPort];
}

/** A well-known name in a place that does not count: `fcm.googleapis.com.evil.example`, `https://evil.example/fcm.googleapis.com`. */
function lookAlike(text: string): readonly Judgement[] {
  const host = URL.canParse(text.trim()) ? new URL(text.trim()).hostname : "";
  if (pushServices.some((facts) => servesHost(facts, host))) return [];
  const folded = text.toLowerCase();
  const names = pushServices.flatMap(({ hosts }) => [...hosts.exact, ...hosts.suffixes]);
  const found = names.find((name) => folded.includes(name));
  if (found === undefined) return [];
  return [
    {
      level: "warning",
      what: `it mentions ${found}, but its host is another`,
      fix: "do not trust it: a stranger may have made it up",
    },
  ];
}

/** The host of what is a URL, though no endpoint. */
function looseFacts(text: string): readonly Fact[] {
  return URL.canParse(text) ? factsOf(fact("host", new URL(text).host)) : [];
}
