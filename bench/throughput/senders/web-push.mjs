/**
 * web-push, as people write the loop: `sendNotification` in a `Promise.all` over chunks of 100.
 *
 * With `agent` it keeps at most 50 connections; without one it uses Node's global agent, which keeps alive too, but has
 * as many connections as there are messages in a chunk.
 */
import { Agent } from "node:https";
import webPush from "web-push";

const chunk = 100;

export function open({ agent, keys, subject, payload }) {
  webPush.setVapidDetails(subject, keys.publicKey, keys.privateKey);
  const options = agent ? { agent: new Agent({ keepAlive: true, maxSockets: 50 }) } : {};
  return {
    async send(lines) {
      for (let at = 0; at < lines.length; at += chunk) {
        const some = lines.slice(at, at + chunk).map((line) => JSON.parse(line));
        await Promise.all(some.map((one) => webPush.sendNotification(one, payload, options)));
      }
    },
    close: () => options.agent?.destroy(),
  };
}
