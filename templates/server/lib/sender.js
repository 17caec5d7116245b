/**
 * Sends one message to one subscription, with the key pair it was made with, and again while that makes sense.
 */
import { setTimeout as wait } from "node:timers/promises";
import webpush from "web-push";
import { AddressRefused, createAgent, refusalOf } from "./addresses.js";
import { readAnswer } from "./answers.js";

const timeoutMs = 15_000;
/** A service that asks for more patience than this is asked again by the next broadcast. */
const longestWaitMs = 60_000;

/**
 * @param {{ keys: object, subject: string, endpoints: object, proxy?: string }} config
 * @param {{ agent?: import("node:https").Agent, firstWaitMs?: number }} options  the tests have their own
 */
export function createSender({ keys, subject, endpoints, proxy }, options = {}) {
  const { agent = createAgent(endpoints), firstWaitMs = 1000 } = options;

  /**
   * @param {{ signal?: AbortSignal, attempts?: number }} options
   * @returns {Promise<{ outcome: string, status?: number, detail?: string }>} never rejects but when told to stop
   */
  async function deliver(row, { payload, options: message }, { signal, attempts = 4 } = {}) {
    const pair = row.application_server_key ? keys.byPublicKey.get(row.application_server_key) : keys.current;
    if (!pair) return { outcome: "wrong-key", detail: "this server no longer has the key it was made with" };
    // What was fine when it was stored may not be any more: the rules are the environment's.
    const refused = refusalOf(new URL(row.endpoint), endpoints);
    if (refused) return { outcome: "rejected", detail: refused };

    let hasAskedForPatience = false;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await post(row, payload, {
        ...message,
        // Microsoft refuses "now or never" without it; the others do not look at it.
        headers: message.TTL === 0 ? { "X-WNS-Cache-Policy": "no-cache" } : {},
        ...connection(),
        vapidDetails: { subject, ...pair },
      });
      if (answer.outcome !== "busy" || attempt === attempts) return answer;
      const backoffMs = firstWaitMs * 2 ** (attempt - 1) * (0.5 + Math.random());
      const waitMs = Math.max(backoffMs, answer.retryAfterMs ?? 0);
      if (waitMs > longestWaitMs || (answer.retryAfterMs !== undefined && hasAskedForPatience)) return answer;
      hasAskedForPatience ||= answer.retryAfterMs !== undefined;
      await wait(waitMs, undefined, { signal });
    }
  }

  function connection() {
    return { timeout: timeoutMs, ...(proxy === undefined ? { agent } : { proxy }) };
  }

  return { deliver, close: () => agent.destroy() };
}

async function post({ endpoint, p256dh, auth }, payload, options) {
  try {
    return readAnswer(await webpush.sendNotification({ endpoint, keys: { p256dh, auth } }, payload, options));
  } catch (error) {
    if (error instanceof webpush.WebPushError) return readAnswer(error);
    if (error instanceof AddressRefused) return { outcome: "rejected", detail: error.message };
    return { outcome: "busy", detail: error.code ?? error.message };
  }
}
