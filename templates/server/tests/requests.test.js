import assert from "node:assert/strict";
import { test } from "node:test";
import { api, makeKeys, openWorld, subscribe } from "./world.js";

test("a page learns the key, hands in its subscription, and takes it back", async (context) => {
  const { request, register, keys, query } = await openWorld(context);
  const count = () => query("SELECT * FROM subscriptions").length;
  assert.deepEqual((await request("GET", `${api}/key`)).body, { publicKey: keys.publicKey });
  const subscription = subscribe("ada", keys.publicKey);
  const first = await register(subscription);
  assert.deepEqual([first.status, first.body.outcome], [201, "added"]);
  const again = await register(subscription);
  assert.deepEqual([again.status, again.body], [200, { id: first.body.id, outcome: "updated" }]);
  assert.equal(count(), 1);
  assert.deepEqual((await request("GET", "/healthz")).body, { status: "ok" });
  const { endpoint } = subscription;
  assert.deepEqual((await request("DELETE", `${api}/subscriptions`, { endpoint })).body, {
    id: first.body.id,
  });
  assert.deepEqual((await request("DELETE", `${api}/subscriptions`, { endpoint })).body, { id: null });
  assert.equal(count(), 0);
});

test("a subscription that the browser replaced makes room for the new one", async (context) => {
  const { register, keys, query } = await openWorld(context, { env: { MAX_SUBSCRIPTIONS: "1" } });
  const old = subscribe("old", keys.publicKey);
  await register(old);
  assert.equal((await register(subscribe("other", keys.publicKey))).body.error, "store-full");
  const fresh = subscribe("new", keys.publicKey);
  assert.equal((await register({ ...fresh, oldEndpoint: old.endpoint })).status, 201);
  const [only, ...more] = query("SELECT endpoint FROM subscriptions");
  assert.deepEqual([only.endpoint, more], [fresh.endpoint, []]);
});

test("what is no subscription is refused, with the reason", async (context) => {
  const { register, keys } = await openWorld(context);
  const fine = subscribe("ada", keys.publicKey);
  const offCurve = Buffer.alloc(65, 4).toString("base64url");
  const cases = [
    ["endpoint-refused", { ...fine, endpoint: "http://fcm.googleapis.com/fcm/send/x" }],
    ["endpoint-refused", { ...fine, endpoint: "https://evil.example/x" }],
    ["endpoint-refused", { ...fine, endpoint: "https://fcm.googleapis.com.evil.example/x" }],
    ["endpoint-refused", { ...fine, endpoint: "https://fcm.googleapis.com:8443/x" }],
    ["endpoint-refused", { ...fine, endpoint: "https://me:secret@fcm.googleapis.com/x" }],
    ["endpoint-refused", { ...fine, endpoint: "https://127.0.0.1/x" }],
    ["endpoint-refused", { ...fine, endpoint: "https://169.254.169.254/latest/meta-data" }],
    ["endpoint-malformed", { ...fine, endpoint: "nowhere" }],
    ["endpoint-malformed", { ...fine, endpoint: undefined }],
    ["key-malformed", { ...fine, keys: { ...fine.keys, p256dh: offCurve } }],
    ["key-malformed", { ...fine, keys: { ...fine.keys, auth: "short" } }],
    ["key-unknown", { ...fine, applicationServerKey: makeKeys().publicKey }],
    ["field-unknown", { ...fine, extra: 1 }],
    ["field-unknown", `{"__proto__":{},"endpoint":"x"}`],
    ["body-malformed", "{"],
    ["body-malformed", "[]"],
  ];
  for (const [code, body] of cases) {
    const answer = await register(body);
    assert.equal(answer.body.error, code, `${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`);
  }
});

test("another site's page is refused, whatever it sends; a page of this one is not", async (context) => {
  const { register, keys, origin } = await openWorld(context);
  const subscription = subscribe("ada", keys.publicKey);
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
  ]) {
    assert.equal((await register(subscription, headers)).body.error, "cross-site");
  }
  assert.equal((await register(subscription, { "content-type": "text/plain" })).body.error, "not-json");
  assert.equal((await register(subscription, { origin })).status, 201);
});

test("PUBLIC_ORIGIN is what pages are compared with, where a proxy changes the Host header", async (context) => {
  const { register, keys, origin } = await openWorld(context, {
    env: { PUBLIC_ORIGIN: "https://www.example.com" },
  });
  const subscription = subscribe("ada", keys.publicKey);
  assert.equal((await register(subscription, { origin })).body.error, "cross-site");
  assert.equal((await register(subscription, { origin: "https://www.example.com" })).status, 201);
});

test("bodies above 16 kB, unknown resources and wrong methods are refused as JSON", async (context) => {
  const { request, register } = await openWorld(context);
  const large = await register({ endpoint: "x".repeat(17_000) });
  assert.deepEqual([large.status, large.body.error], [413, "body-too-large"]);
  assert.equal((await request("GET", "/no/such/thing")).body.error, "not-found");
  assert.equal((await request("GET", `${api}/subscriptions`)).status, 405);
});

test("a client that asks too often has to wait", async (context) => {
  const { request } = await openWorld(context);
  const statuses = [];
  for (let count = 0; count < 12; count += 1) {
    statuses.push(
      (await request("POST", `${api}/test`, { endpoint: "https://fcm.googleapis.com/x" })).status,
    );
  }
  assert.deepEqual(statuses, [...Array(10).fill(409), 429, 429]);
});

test("behind a proxy each client counts for itself, and cannot pretend to be another", async (context) => {
  const { request } = await openWorld(context, { env: { TRUST_PROXY: "127.0.0.1" } });
  const ask = (forwarded) =>
    request(
      "POST",
      `${api}/test`,
      { endpoint: "https://fcm.googleapis.com/x" },
      { "x-forwarded-for": forwarded },
    );
  for (let count = 0; count < 10; count += 1)
    assert.equal((await ask(`9.9.9.${count}, 8.8.8.8`)).status, 409);
  assert.equal((await ask("1.1.1.1, 8.8.8.8")).status, 429);
  assert.equal((await ask("8.8.4.4")).status, 409);
});

test("beacons of the service worker are taken down, others refused", async (context) => {
  const { request, events } = await openWorld(context);
  assert.equal((await request("POST", `${api}/events`, { type: "shown", id: "m1", at: 1 })).status, 204);
  assert.deepEqual(events.at(-1), { event: "beacon", type: "shown", id: "m1" });
  assert.equal(
    (await request("POST", `${api}/events`, { type: "eaten", at: 1 })).body.error,
    "beacon-malformed",
  );
});
