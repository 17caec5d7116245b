/** PROTOCOL.md A.2 over HTTP: every defect of a VAPID token, against a subscription made with a key. */
import { expect, test } from "vitest";
import { accepted, k, other, refused, token, type Write } from "./vapid-cases.ts";
import { call, errorOf, openTestEmulator, sealed, subscribeAt } from "./wire.ts";

async function sendWith(write: Write) {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin, k);
  const exp = emulator.clock.now() / 1000 + 3600;
  const authorization = write({ aud: emulator.origin, exp, sub: "mailto:me@example.com" });
  const headers = { ...sealed, ...(authorization === undefined ? {} : { authorization }) };
  const answer = await call("POST", endpoint, { headers, body: "x" });
  return { answer, event: emulator.events.at(-1) };
}

test("no Authorization: 401, which names the scheme", async () => {
  const { answer, event } = await sendWith(() => undefined);
  expect(answer).toMatchObject({ status: 401, headers: { "www-authenticate": "vapid" } });
  expect(errorOf(answer).error).toBe("vapid-missing");
  expect(event).toMatchObject({ type: "refused", status: 401, subscriptionId: expect.any(String) as string });
});

test("who sends is looked at after TTL, Urgency and Topic, and before the body", async () => {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin, k);
  const errorWith = async (headers: Record<string, string>) =>
    errorOf(await call("POST", endpoint, { headers, body: Buffer.alloc(5000) })).error;
  expect(await errorWith({})).toBe("ttl-missing");
  expect(await errorWith({ ttl: "1", topic: "?" })).toBe("topic-malformed");
  expect(await errorWith({ ttl: "1" })).toBe("vapid-missing");
  const exp = emulator.clock.now() / 1000 + 60;
  const authorization = `vapid t=${token({ aud: emulator.origin, exp })}, k=${k}`;
  expect(await errorWith({ ttl: "1", authorization })).toBe("content-encoding-missing");
  expect(await errorWith({ ...sealed, authorization })).toBe("body-too-large");
});

test.each(accepted)("%s is accepted, and the sender's key known", async (_name, write) => {
  const { answer, event } = await sendWith(write);
  expect(answer.body.toString()).toBe("");
  expect(answer.status).toBe(201);
  expect(event).toMatchObject({ type: "accepted", sender: k });
});

test.each(refused)("%s: 403, and says why", async (_name, _defect, write) => {
  const { answer, event } = await sendWith(write);
  expect(errorOf(answer)).toMatchObject({ code: 403, error: expect.stringMatching(/^vapid-/) as string });
  expect(event).toMatchObject({ type: "refused", status: 403 });
});

test("a subscription made without a key takes no token, a good one, and not a bad one", async () => {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin);
  const send = (authorization?: string) =>
    call("POST", endpoint, { headers: { ...sealed, ...(authorization && { authorization }) }, body: "x" });
  const valid = { aud: emulator.origin, exp: emulator.clock.now() / 1000 + 60 };
  expect(await send()).toMatchObject({ status: 201 });
  expect(
    await send(`vapid t=${token(valid, { signer: other })}, k=${other.publicKey.toString("base64url")}`),
  ).toMatchObject({ status: 201 });
  expect(await send("vapid t=a.b.c, k=d")).toMatchObject({ status: 403 });
});

test("a token for localhost is for the sender who posts to localhost", async () => {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin, k);
  const localhost = `localhost:${emulator.port}`;
  const exp = emulator.clock.now() / 1000 + 60;
  const authorization = `vapid t=${token({ aud: `http://${localhost}`, exp })}, k=${k}`;
  const send = (host: string) =>
    call("POST", endpoint, { headers: { ...sealed, authorization, host }, body: "x" });
  expect(await send(localhost)).toMatchObject({ status: 201 });
  expect(await send(`127.0.0.1:${emulator.port}`)).toMatchObject({ status: 403 });
});
