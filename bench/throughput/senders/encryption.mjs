/**
 * A bound: our encryption alone, on one thread.
 */
import { randomBytes } from "node:crypto";
import { parseSubscription } from "../../../dist/index.js";
import { createEncryptor } from "../../../dist/sender/encryptor.js";

export function open({ payload }) {
  const plaintext = Buffer.from(payload);
  const encryptor = createEncryptor({ bytes: randomBytes });
  return {
    prepare: (lines) => lines.map((line) => parseSubscription(JSON.parse(line))),
    async send(subscriptions) {
      for (const subscription of subscriptions) await encryptor.seal(plaintext, subscription);
    },
    close: () => encryptor[Symbol.dispose](),
  };
}
