/** A sender as the library is one: encrypts, signs, posts. */
import { randomBytes } from "node:crypto";
import { createScalar } from "../../src/protocol/vapid.ts";
import { createPushRequest } from "../../src/protocol/push-request.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { parseTopic, type Urgency } from "../../src/protocol/message.ts";
import {
  endpointOrigin,
  parseSubscription,
  type PushSubscriptionJson,
} from "../../src/protocol/subscription.ts";
import { signToken } from "../../src/protocol/vapid-token.ts";
import { samplePair } from "../support/samples.ts";
import { call, type Answer } from "./wire.ts";

const random = { bytes: (length: number) => randomBytes(length) };

/** The sender's keys. */
export const senderKeys = samplePair("sender");

export interface Sending {
  readonly now: number;
  readonly ttlSeconds?: number;
  readonly topic?: string;
  readonly urgency?: Urgency;
}

/** Encrypts `content` to a subscription and posts it, signed. */
export function sendTo(
  to: PushSubscriptionJson,
  content: string | Uint8Array | undefined,
  sending: Sending,
): Promise<Answer> {
  const { now, ttlSeconds = 60, topic, urgency } = sending;
  const subscription = parseSubscription(to);
  const message = {
    payload: content === undefined ? undefined : Buffer.from(content),
    ttlSeconds,
    urgency,
    topic: topic === undefined ? undefined : parseTopic(topic),
  };
  const authorization = signToken({
    pair: senderKeys,
    encoding: subscription.contentEncoding,
    subject: parseSubject("mailto:ops@harbour.shop").subject,
    audience: endpointOrigin(subscription.endpoint),
    expiresAt: now + 3_600_000,
  });
  const material = { salt: random.bytes(16), privateKey: createScalar(random) };
  const { url, headers, body } = createPushRequest(message, subscription, authorization, material);
  return call("POST", url, { headers, body });
}
