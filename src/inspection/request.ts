/** A whole request to a push service, taken apart: where to, how long, by what right, and what it says. */
import { parseEndpoint, type Endpoint } from "../protocol/subscription.ts";
import { parseTopic, urgencies } from "../protocol/message.ts";
import type { PushResponse } from "../protocol/delivery.ts";
import { serviceOf } from "../protocol/services.ts";
import { inspectBody } from "./body.ts";
import { inspectEndpoint } from "./endpoint.ts";
import { attempt, fact, factsOf, type Inspection, type Judgement, type Surroundings } from "./inspection.ts";
import { inspectResponse } from "./response.ts";
import { inspectAuthorization } from "./token.ts";

/** A request; names of headers in lower case. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface HttpExchange {
  readonly request: HttpRequest;
  readonly response: PushResponse | undefined;
  /** When it was recorded, where that is known; in ms since 1970. */
  readonly sentAt: number | undefined;
}

/** Explains a request part by part, and its answer where there is one; a recorded one by the time of its recording. */
export function inspectExchange(
  { request, response, sentAt }: HttpExchange,
  today: Surroundings,
): readonly Inspection[] {
  const surroundings = sentAt === undefined ? today : { ...today, clock: { now: () => sentAt } };
  const { url, headers, body } = request;
  const endpoint = attempt(() => parseEndpoint(url)).value;
  const hasToken = headers["authorization"] !== undefined;
  const hasBody = body !== undefined && body.length > 0;
  return [
    inspectHead(request, { endpoint, sentAt }),
    inspectEndpoint(url, surroundings),
    ...(hasToken ? [inspectAuthorization(headers, { ...surroundings, endpoint })] : []),
    ...(hasBody ? [inspectBody(body, surroundings, headers)] : []),
    ...(response === undefined ? [] : [inspectResponse(response, endpoint, surroundings)]),
  ];
}

function inspectHead(
  { method, headers, body }: HttpRequest,
  { endpoint, sentAt }: { readonly endpoint: Endpoint | undefined; readonly sentAt: number | undefined },
): Inspection {
  const recorded = sentAt === undefined ? undefined : new Date(sentAt).toISOString();
  const { ttl, urgency, topic, authorization, prefer } = headers;
  return {
    kind: "request",
    title: "a request that sends a push message",
    facts: factsOf(
      fact("method", method),
      fact("sentAt", recorded, `${recorded}; below, times are told as of then`),
      fact("ttl", ttl),
      fact("urgency", urgency),
      fact("topic", topic),
      fact("contentEncoding", headers["content-encoding"]),
      fact("prefer", prefer),
      fact("bodyBytes", body?.length ?? 0),
      fact("authorized", authorization !== undefined, authorization === undefined ? "no" : "yes"),
    ),
    judgements: [
      ...judgeMethod(method),
      ...judgeTtl(ttl, endpoint),
      ...judgeUrgency(urgency),
      ...judgeTopic(topic),
      ...judgeAuthorized(authorization, endpoint),
      ...judgeCoding(headers["content-encoding"], body),
    ],
  };
}

function judgeMethod(method: string): readonly Judgement[] {
  if (method === "POST") return [];
  return [
    {
      level: "problem",
      what: `the method is ${method.slice(0, 20)}`,
      fix: "send messages with POST (RFC 8030 §5)",
    },
  ];
}

function judgeTtl(ttl: string | undefined, endpoint: Endpoint | undefined): readonly Judgement[] {
  if (ttl === undefined)
    return [
      { level: "problem", what: "there is no TTL header", fix: "send TTL, in seconds (RFC 8030 §5.2)" },
    ];
  if (!/^\d+$/.test(ttl))
    return [
      {
        level: "problem",
        what: `TTL ${JSON.stringify(ttl.slice(0, 40))} is no number of seconds`,
        fix: "send digits alone",
      },
    ];
  if (endpoint === undefined) return [];
  const { name, limits } = serviceOf(endpoint);
  const { maxTtlSeconds, aboveMaxTtl, ttlZeroHeaders } = limits;
  const missing = Object.keys(ttlZeroHeaders);
  if (Number(ttl) === 0 && missing.length > 0)
    return [
      {
        level: "warning",
        what: `${name} refuses a TTL of 0 without ${missing.join(", ")}`,
        fix: "use a TTL above 0, or add that header",
      },
    ];
  if (maxTtlSeconds === undefined || Number(ttl) <= maxTtlSeconds)
    return [{ level: "good", what: "the TTL is one that its push service takes" }];
  return [
    aboveMaxTtl === "refuse"
      ? {
          level: "problem",
          what: `${name} refuses a TTL above ${maxTtlSeconds}`,
          fix: `send at most ${maxTtlSeconds}`,
        }
      : { level: "note", what: `${name} keeps messages for at most ${maxTtlSeconds} seconds` },
  ];
}

function judgeUrgency(urgency: string | undefined): readonly Judgement[] {
  if (urgency === undefined || urgencies.some((one) => one === urgency)) return [];
  return [
    {
      level: "problem",
      what: `the urgency ${JSON.stringify(urgency.slice(0, 40))} is none`,
      fix: `use ${urgencies.join(", ")}`,
    },
  ];
}

function judgeTopic(topic: string | undefined): readonly Judgement[] {
  if (topic === undefined) return [];
  const read = attempt(() => parseTopic(topic));
  return read.value === undefined ? [read.problem] : [];
}

function judgeAuthorized(
  authorization: string | undefined,
  endpoint: Endpoint | undefined,
): readonly Judgement[] {
  if (authorization !== undefined || endpoint === undefined) return [];
  const { name, authorization: rules } = serviceOf(endpoint);
  if (!rules.required) return [{ level: "note", what: "there is no Authorization header" }];
  return [
    {
      level: "problem",
      what: `there is no Authorization header, and ${name} wants one`,
      fix: "sign with a VAPID key: vapid t=…, k=…",
    },
  ];
}

function judgeCoding(coding: string | undefined, body: Uint8Array | undefined): readonly Judgement[] {
  if (body === undefined || body.length === 0 || coding !== undefined) return [];
  return [
    {
      level: "problem",
      what: "there is a body and no Content-Encoding",
      fix: "send Content-Encoding: aes128gcm with an encrypted body",
    },
  ];
}
