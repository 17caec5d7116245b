/**
 * A bound: our encryption alone.
 */
import { randomBytes } from "node:crypto";
import { parseSubscription } from "../../../dist/index.js";
import { openEncryptor } from "../../../dist/sender/encryptor-pool.js";
import { keepInFlight } from "./flight.mjs";

/** Far more than threads can have at a time: none of them ever waits. */
const ahead = 1024;

export function open({ threads, payload }) {
  const plaintext = Buffer.from(payload);
  const encryptor = openEncryptor({ random: { bytes: randomBytes }, threads });
  return {
    prepare: (lines) => lines.map((line) => parseSubscription(JSON.parse(line))),
    send: (subscriptions) =>
      keepInFlight(subscriptions.length, ahead, (index) => encryptor.seal(plaintext, subscriptions[index])),
    close: () => encryptor[Symbol.dispose](),
  };
}
