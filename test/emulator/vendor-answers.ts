/** What our own sender makes of the emulator's answers. */
import { classifyResponse, type Delivery } from "../../src/protocol/delivery.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { k, token, type Pair, own } from "./vapid-cases.ts";
import { call, type Answer, type Call, type TestEmulator } from "./wire.ts";

/** `Authorization` with a good token, but for what is given. */
export function vapidFor(
  { origin, clock }: Pick<TestEmulator, "origin" | "clock">,
  claims: object = {},
  signer: Pair = own,
): string {
  const valid = { aud: origin, exp: clock.now() / 1000 + 3600, sub: "mailto:ops@harbour.shop" };
  const key = signer === own ? k : signer.publicKey.toString("base64url");
  return `vapid t=${token(valid, { claims, signer })}, k=${key}`;
}

/** Sends one message and reads the answer as `webpush send` does. */
export async function sendTo(
  endpoint: string,
  message: Call,
): Promise<{ answer: Answer; delivery: Delivery }> {
  const answer = await call("POST", endpoint, message);
  return { answer, delivery: diagnose(endpoint, answer) };
}

function diagnose(endpoint: string, { status, headers, body }: Answer): Delivery {
  const given = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const response = { status, headers: Object.fromEntries(given), body: body.toString() };
  return classifyResponse(parseEndpoint(endpoint), response, Date.UTC(2026, 10, 24, 12));
}
