/**
 * A transport that trusts the test certificate, and requests for it to carry.
 */
import type { PushResponse, TransportFailure } from "../../src/protocol/delivery.ts";
import type { PushRequest } from "../../src/protocol/message.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { openTransport, type Transport, type TransportOptions } from "../../src/sender/transport.ts";
import { testCertificate } from "./scripted-push-service.ts";

/** A signal that never comes. */
export const forever = new AbortController().signal;

export function openTestTransport(options: Partial<TransportOptions> = {}): Required<Transport> {
  return openTransport({
    timeoutMs: 5000,
    proxy: { url: undefined, environment: {} },
    ca: testCertificate,
    allow: { private: false, hosts: [] },
    ...options,
  }) as Required<Transport>;
}

export function requestTo(
  url: string,
  headers: Readonly<Record<string, string>> = { ttl: "60" },
  body: string | Buffer = "sealed",
): PushRequest {
  return { method: "POST", url: parseEndpoint(url), headers, body: Buffer.from(body) };
}

/** Sends one request with a transport of its own. */
export async function exchangeOnce(
  url: string,
  options: Partial<TransportOptions> = {},
): Promise<PushResponse | TransportFailure> {
  using transport = openTestTransport(options);
  return await transport.exchange(requestTo(url), forever);
}
