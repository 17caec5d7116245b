/** A subscription: its endpoint, its keys, and whether this project can send to it. */
import { describeUnknownKey } from "../protocol/preflight.ts";
import { isRecord } from "../protocol/spellings.ts";
import { serviceOf } from "../protocol/services.ts";
import { parseSubscription, type Subscription } from "../protocol/subscription.ts";
import { endpointFacts, judgeEndpoint } from "./endpoint.ts";
import {
  attempt,
  fact,
  factsOf,
  relationOf,
  relationWords,
  type Inspection,
  type Judgement,
  type Surroundings,
} from "./inspection.ts";

type Needs = Pick<Surroundings, "reveal" | "keys" | "clock">;

/** Explains a subscription in any spelling; its secrets stay out. */
export function inspectSubscription(json: unknown, surroundings: Needs): Inspection {
  const title = "a push subscription, one browser that asked for messages";
  const read = attempt(() => parseSubscription(json));
  if (read.value === undefined) {
    const members = isRecord(json) ? Object.keys(json).slice(0, 20) : undefined;
    return {
      kind: "subscription",
      title,
      facts: factsOf(fact("members", members)),
      judgements: [read.problem],
    };
  }
  const subscription = read.value;
  const { endpoint, expirationTime, applicationServerKey, contentEncoding } = subscription;
  const relation = applicationServerKey && relationOf(applicationServerKey, surroundings);
  const owner = relation === undefined ? "" : `, ${relationWords[relation]}`;
  return {
    kind: "subscription",
    title,
    facts: factsOf(
      ...endpointFacts(endpoint, surroundings),
      fact("p256dh", "65 bytes on P-256", "65 bytes, a point on P-256"),
      fact("auth", "16 bytes", "16 bytes, a secret"),
      fact("contentEncoding", contentEncoding),
      fact("expirationTime", expirationTime === null ? undefined : new Date(expirationTime).toISOString()),
      fact("madeWith", applicationServerKey, applicationServerKey && `${applicationServerKey}${owner}`),
    ),
    judgements: [...judgeEndpoint(endpoint), ...judgeSubscription(subscription, surroundings)],
  };
}

function judgeSubscription(subscription: Subscription, surroundings: Needs): readonly Judgement[] {
  return [
    ...judgeKey(subscription, surroundings),
    ...judgeExpiry(subscription, surroundings),
    ...judgeEncoding(subscription),
  ];
}

function judgeKey({ applicationServerKey: made }: Subscription, surroundings: Needs): readonly Judgement[] {
  if (made === undefined) {
    return [
      {
        level: "note",
        what: "it does not say which VAPID key it was made with",
        fix: "hand the key in beside it, as the scaffolded page does: applicationServerKey",
      },
    ];
  }
  switch (relationOf(made, surroundings)) {
    case "current":
    case "older":
      return [{ level: "good", what: "this project has the key pair that it was made with" }];
    case "foreign": {
      const { what, advice } = describeUnknownKey(made);
      return [{ level: "problem", what, fix: advice }];
    }
    case undefined:
      return [];
    default:
      return [];
  }
}

function judgeExpiry({ expirationTime }: Subscription, { clock }: Needs): readonly Judgement[] {
  if (expirationTime === null || expirationTime > clock.now()) return [];
  return [{ level: "problem", what: "it has expired", fix: "have the page subscribe again" }];
}

function judgeEncoding({ endpoint, contentEncoding }: Subscription): readonly Judgement[] {
  const { name, encodings } = serviceOf(endpoint);
  if (encodings.includes(contentEncoding)) return [];
  return [
    {
      level: "problem",
      what: `${name} does not take ${contentEncoding}`,
      fix: "store it without contentEncoding: aes128gcm is meant then",
    },
  ];
}
