/** The page's subscriptions: stored, refreshed, replaced, taken back; and which endpoints are refused. */
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { LocalPushService } from "../../src/server/local-push-service.ts";
import { sampleEndpoint, samplePair } from "../support/samples.ts";
import { accepted, ask, openTestServer, pageBody, serverPair, type TestServer } from "./harness.ts";

const subscriptions = "/webpush/subscriptions";

async function stored({ context }: TestServer) {
  return (await context.subscriptions.list()).map(({ name, tags, subscription }) => ({
    name,
    tags,
    endpoint: subscription.endpoint,
  }));
}

test("the key is that of the project", async () => {
  const answer = await ask(await openTestServer(), "GET", "/webpush/key");
  expect(answer.json()).toEqual({ publicKey: serverPair.publicKey });
});

test("a subscription is stored with the key it was made with, and again it is the same one", async () => {
  const server = await openTestServer();
  const first = await ask(server, "POST", subscriptions, { body: pageBody("phone") });
  const again = await ask(server, "POST", subscriptions, { body: pageBody("phone", { oldEndpoint: null }) });
  expect([first.status, again.status]).toEqual([201, 200]);
  expect([first.json(), again.json()]).toMatchObject([{ outcome: "added" }, { outcome: "unchanged" }]);
  const [record, ...others] = await server.context.subscriptions.list();
  expect(others).toEqual([]);
  expect(record?.subscription.applicationServerKey).toBe(serverPair.publicKey);
  expect(server.events).toMatchObject([
    { type: "stored", id: record?.id, outcome: "added" },
    { type: "stored", id: record?.id, outcome: "unchanged" },
  ]);
});

test("a replaced subscription takes the place of the old one, with its name and tags", async () => {
  const server = await openTestServer();
  await ask(server, "POST", subscriptions, { body: pageBody("old") });
  const [old] = await server.context.subscriptions.list();
  await server.context.subscriptions.relabel([sampleEndpoint("old")], () => ({ name: "me", tags: ["news"] }));
  const oldEndpoint = "https://push.example.net/send/old";
  await ask(server, "POST", subscriptions, { body: pageBody("new", { oldEndpoint }) });
  expect(await stored(server)).toEqual([
    { name: "me", tags: ["news"], endpoint: "https://push.example.net/send/new" },
  ]);
  expect(server.events.at(-1)).toMatchObject({ type: "stored", replacedId: old?.id });
});

test("an endpoint is taken back, and taking it back twice is no failure", async () => {
  const server = await openTestServer();
  await ask(server, "POST", subscriptions, { body: pageBody("phone") });
  const body = { endpoint: "https://push.example.net/send/phone" };
  expect((await ask(server, "DELETE", subscriptions, { body })).status).toBe(200);
  expect((await ask(server, "DELETE", subscriptions, { body })).json()).toEqual({ id: null });
  expect(await stored(server)).toEqual([]);
  expect(server.events.map(({ type }) => type)).toEqual(["stored", "removed"]);
});

test("a test push goes to the stored subscription, and its diagnosis comes back", async () => {
  let result = accepted;
  const server = await openTestServer({ sendTest: () => Promise.resolve(result) });
  await ask(server, "POST", subscriptions, { body: pageBody("phone") });
  const body = { endpoint: "https://push.example.net/send/phone" };
  const sent = await ask(server, "POST", "/webpush/test", { body });
  expect(sent).toMatchObject({ status: 200 });
  expect(sent.json()).toMatchObject({ outcome: "accepted", status: 201 });
  result = {
    ...accepted,
    outcome: "gone",
    cause: "http.410",
    status: 410,
    meaning: "it is over",
    advice: "subscribe",
  };
  const refused = await ask(server, "POST", "/webpush/test", { body });
  expect(refused).toMatchObject({ status: 502 });
  expect(refused.json()).toMatchObject({
    error: "http.410",
    message: "it is over",
    outcome: "gone",
    status: 410,
    advice: "subscribe",
  });
});

test("a test push to what is not stored is refused, in a way the page does not take for plain hosting", async () => {
  const server = await openTestServer();
  const answer = await ask(server, "POST", "/webpush/test", {
    body: { endpoint: "https://fcm.googleapis.com/x" },
  });
  expect(answer.status).toBe(409);
  expect(answer.json()).toMatchObject({ error: "not-stored" });
});

test.each([
  ["https://fcm.googleapis.com/fcm/send/abc", 201],
  ["https://updates.push.services.mozilla.com/wpush/v2/abc", 201],
  ["https://web.push.apple.com/abc", 201],
  ["http://127.0.0.1:8030/push/abc", 201],
  ["http://localhost:8030/push/abc", 201],
  ["https://push.example.net/abc", 201], // named with --allow-host
  ["https://evil.example/fcm.googleapis.com", 403],
  ["https://evil.example/abc?up=1", 403],
  ["https://fcm.googleapis.com.evil.example/abc", 403],
  ["https://notpush.apple.com/abc", 403],
  ["https://fcm.googleapis.com:8443/abc", 403],
  ["https://10.0.0.7/abc", 403],
  ["https://192.168.1.1/abc", 403],
  ["https://169.254.169.254/latest/meta-data/", 403],
  ["https://[fd00::1]/abc", 403],
  ["https://[::ffff:10.0.0.1]/abc", 403],
  ["https://0x0a000001/abc", 400],
  ["https://metadata.google.internal/abc", 403],
  ["https://router.local/abc", 403],
  ["http://fcm.googleapis.com/abc", 400],
  ["https://fcm.googleapis.com@evil.example/abc", 400],
  ["https://permanently-removed.invalid/fcm/send/abc", 400],
  ["file:///etc/passwd", 400],
  ["javascript:alert(1)", 400],
])("an endpoint %s is answered %i", async (endpoint, status) => {
  const server = await openTestServer();
  const answer = await ask(server, "POST", subscriptions, { body: pageBody("phone", { endpoint }) });
  expect(answer.status, answer.body.toString()).toBe(status);
  expect(await stored(server)).toHaveLength(status === 201 ? 1 : 0);
});

test("a host nobody knows is refused with the way to allow it", async () => {
  const body = pageBody("phone", { endpoint: "https://push.harbour.shop/abc" });
  const answer = await ask(await openTestServer(), "POST", subscriptions, { body });
  expect(answer.json()).toMatchObject({
    error: "endpoint-refused",
    message:
      "push.harbour.shop is no push service known to webpush; start with --allow-host push.harbour.shop if it is yours",
  });
});

test("where other machines may hand in subscriptions, none may lead to this one", async () => {
  const server = await openTestServer({ host: "0.0.0.0", allowRemote: true });
  const body = pageBody("phone", { endpoint: "http://127.0.0.1:9200/_delete_by_query" });
  const answer = await ask(server, "POST", subscriptions, { body });
  expect(answer).toMatchObject({ status: 403 });
  expect(await stored(server)).toEqual([]);
});

test("a subscription made with a key that the project does not have is refused: nothing could be sent to it", async () => {
  const server = await openTestServer();
  const body = pageBody("phone", { applicationServerKey: samplePair("somebody else's").publicKey });
  const answer = await ask(server, "POST", subscriptions, { body });
  expect(answer.json()).toMatchObject({ error: "key-unknown" });
});

test.each([
  ["no JSON", "{", "body-malformed"],
  ["nothing", "", "body-malformed"],
  ["a list", "[]", "body-malformed"],
  ["a list for keys", JSON.stringify(pageBody("x", { keys: [] })), "body-malformed"],
  ["no keys", JSON.stringify(pageBody("x", { keys: undefined })), "subscription-malformed"],
  ["a short key", JSON.stringify(pageBody("x", { keys: { p256dh: "BA", auth: "AA" } })), "p256dh-malformed"],
  ["a number for the endpoint", JSON.stringify(pageBody("x", { endpoint: 1 })), "endpoint-malformed"],
  ["an old endpoint that is none", JSON.stringify(pageBody("x", { oldEndpoint: 1 })), "endpoint-malformed"],
  ["very deep", "[".repeat(8000), "body-malformed"],
])("what is no subscription is refused: %s", async (_what, body, error) => {
  const server = await openTestServer();
  const answer = await ask(server, "POST", subscriptions, { body });
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({ error });
  expect(await stored(server)).toEqual([]);
});

const token = "Wm9vLXRva2VuLW9mLTEyOC1iaXRzLWFuZC1tb3Jl";
const atGoogle = `https://jmt17.google.com/fcm/send/${token}`;
const emulator: LocalPushService = {
  origin: "http://127.0.0.1:8030",
  knows: (one) => one === token,
};

test("an endpoint that names Google is stored where the emulator beside answers, when it is the emulator's", async () => {
  const server = await openTestServer({ localPushService: emulator });
  const local = `http://127.0.0.1:8030/fcm/send/${token}`;
  const post = () => ask(server, "POST", subscriptions, { body: pageBody("tab", { endpoint: atGoogle }) });
  expect((await post()).json()).toMatchObject({ outcome: "added" });
  expect((await post()).json()).toMatchObject({ outcome: "unchanged" });
  expect(await stored(server)).toMatchObject([{ endpoint: local }]);

  expect((await ask(server, "POST", "/webpush/test", { body: { endpoint: atGoogle } })).status).toBe(200);
  expect(server.tested.map(({ subscription }) => subscription.endpoint)).toEqual([local]);

  const fresh = pageBody("fresh", {
    endpoint: "https://fcm.googleapis.com/fcm/send/other",
    oldEndpoint: atGoogle,
  });
  await ask(server, "POST", subscriptions, { body: fresh });
  expect(await stored(server)).toMatchObject([{ endpoint: "https://fcm.googleapis.com/fcm/send/other" }]);

  await post();
  await ask(server, "DELETE", subscriptions, { body: { endpoint: atGoogle } });
  expect(await stored(server)).toMatchObject([{ endpoint: "https://fcm.googleapis.com/fcm/send/other" }]);
});

test("an endpoint of Google's own stays what it is beside an emulator", async () => {
  const server = await openTestServer({ localPushService: emulator });
  const endpoint = "https://fcm.googleapis.com/fcm/send/dGhpcy1pcy1hLXJlYWwtdG9rZW4tb2YtR29vZ2xl";
  await ask(server, "POST", subscriptions, { body: pageBody("phone", { endpoint }) });
  expect(await stored(server)).toMatchObject([{ endpoint }]);
});

test("a subscription whose emulator has moved to another port is one subscription", async () => {
  const server = await openTestServer({ localPushService: emulator });
  const elsewhere = `http://127.0.0.1:9999/fcm/send/${token}`;
  await ask(server, "POST", subscriptions, { body: pageBody("tab", { endpoint: elsewhere }) });
  await ask(server, "POST", subscriptions, { body: pageBody("tab", { endpoint: atGoogle }) });
  expect(await stored(server)).toMatchObject([{ endpoint: `http://127.0.0.1:8030/fcm/send/${token}` }]);
});

test.each([
  [
    { type: "shown", id: null, at: 1_793_620_800_000 },
    { what: "shown", messageId: undefined },
  ],
  [
    { type: "clicked", id: 7, at: 0 },
    { what: "clicked", messageId: "7" },
  ],
  [
    { type: "closed", at: 0 },
    { what: "closed", messageId: undefined },
  ],
  [
    { type: "shown", id: "a", at: 0, title: "Hello" },
    { what: "shown", title: "Hello" },
  ],
])("the beacon %j is told", async (body, event) => {
  const server = await openTestServer();
  expect((await ask(server, "POST", "/webpush/events", { body })).status).toBe(204);
  expect(server.events).toMatchObject([{ type: "beacon", ...event }]);
});

test.each([
  { type: "exploded", id: null, at: 0 },
  { type: "shown", id: {}, at: 0 },
  { type: "shown", id: "x".repeat(201), at: 0 },
  { type: "shown", id: null, at: -1 },
  { type: "shown", id: null, at: 1e99 },
  { type: "shown", id: null, at: "now" },
  { type: "shown", id: null, at: 0, more: 1 },
  { type: "shown", id: null, at: 0, title: 7 },
  { type: "shown", id: null, at: 0, title: "x".repeat(4097) },
])("the beacon %j is refused", async (body) => {
  const server = await openTestServer();
  expect((await ask(server, "POST", "/webpush/events", { body })).status).toBe(400);
  expect(server.events).toMatchObject([{ type: "refused" }]);
});

test("a store that cannot be used is the server's failure, and the page is told no path of this machine", async () => {
  const server = await openTestServer();
  const { subscriptionsFile, folder } = server.context.location;
  mkdirSync(folder, { recursive: true });
  writeFileSync(subscriptionsFile, "not JSON");
  const answer = await ask(server, "POST", subscriptions, { body: pageBody("phone") });
  expect(answer.status).toBe(500);
  expect(answer.json()).toEqual({ error: "store-damaged", message: "the server failed; its log says why" });
  expect(server.events).toMatchObject([
    { type: "refused", reason: expect.stringContaining(subscriptionsFile) as string },
  ]);
});
