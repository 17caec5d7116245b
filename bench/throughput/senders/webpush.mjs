/**
 * Ours as a library: `send` of the public module, over subscriptions read from text as with the others.
 */
import { randomBytes } from "node:crypto";
import { parseKeyPair, parseSubject, parseSubscription, send } from "../../../dist/index.js";

export function open({ threads, keys, subject, payload, ca }) {
  const pair = parseKeyPair(keys.publicKey, keys.privateKey);
  const message = {
    payload: Buffer.from(payload),
    ttlSeconds: 2_419_200,
    urgency: undefined,
    topic: undefined,
  };
  const options = {
    threads,
    concurrency: 100,
    timeoutMs: 30_000,
    proxy: { url: undefined, environment: {} },
    ca,
    allow: { private: false, hosts: [] },
    subject: parseSubject(subject).subject,
    random: { bytes: randomBytes },
    clock: { now: Date.now },
  };

  async function* jobs(lines) {
    for (const line of lines)
      yield { tag: line, message, subscription: parseSubscription(JSON.parse(line)), pair };
  }

  return {
    async send(lines) {
      const { signal } = new AbortController();
      for await (const { kind, delivery } of send(jobs(lines), { ...options, signal })) {
        if (delivery?.outcome !== "accepted") throw new Error(`${kind}: ${delivery?.cause}`);
      }
    },
  };
}
