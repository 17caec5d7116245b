/**
 * @pushforge/builder: the best kept of the WebCrypto libraries that run on Node 20. It builds requests; its users post them with `fetch`,
 * here in chunks of 100 as with web-push.
 */
import { createECDH } from "node:crypto";
import { buildPushHTTPRequest } from "@pushforge/builder";
import { expectCreated } from "./flight.mjs";

const chunk = 100;

export function open({ keys, subject, payload }) {
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(keys.privateKey, "base64url");
  const point = pair.getPublicKey();
  const privateJWK = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
    d: keys.privateKey,
  };
  const message = { payload: JSON.parse(payload), adminContact: subject, options: { ttl: 3600 } };

  async function post(line) {
    const subscription = JSON.parse(line);
    const { endpoint, headers, body } = await buildPushHTTPRequest({ privateJWK, subscription, message });
    const response = await fetch(endpoint, { method: "POST", headers, body });
    await response.arrayBuffer();
    expectCreated(response.status);
  }

  return {
    async send(lines) {
      for (let at = 0; at < lines.length; at += chunk)
        await Promise.all(lines.slice(at, at + chunk).map(post));
    },
  };
}
