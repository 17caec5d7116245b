import assert from "node:assert/strict";
import { test } from "node:test";
import { api, openWorld, subscribe } from "./world.js";

/** A subscription's row as it stands in the file. */
function rowOf({ query }, name) {
  return query("SELECT * FROM subscriptions WHERE endpoint LIKE ?", `%/${name}`)[0];
}

/** Subscriptions of these names, a day old. */
async function openWith(context, names, options = {}) {
  let now = Date.now() - 86_400_000;
  const world = await openWorld(context, { ...options, now: () => now });
  for (const name of names) await world.register(subscribe(name, world.keys.publicKey));
  now = Date.now();
  return { ...world, later: (ms) => (now += ms) };
}

test("a test push reaches the browser that asked for it", async (context) => {
  const { request, push, keys } = await openWith(context, ["ada", "bob"]);
  const answer = await request("POST", `${api}/test`, subscriptionOf("ada"));
  assert.deepEqual([answer.status, answer.body.outcome], [200, "accepted"]);
  assert.equal(push.requests.length, 1);
  const [{ name, headers, key, bytes }] = push.requests;
  assert.deepEqual([name, key, headers.ttl, headers.urgency], ["ada", keys.publicKey, "60", "high"]);
  assert.equal(headers["content-encoding"], "aes128gcm");
  assert.ok(bytes > 100);
});

test("a broadcast reaches everybody once, with its options", async (context) => {
  const names = Array.from({ length: 120 }, (_, index) => `n${index}`);
  const env = { CONCURRENCY: "7", TRUST_PROXY: "127.0.0.1" };
  const { broadcast, push, keys, register } = await openWorld(context, { env });
  for (const [index, name] of names.entries()) {
    // Each from an address of its own, or the limit of one client would be reached.
    await register(subscribe(name, keys.publicKey), { "x-forwarded-for": `8.8.8.${index}` });
  }
  const counts = await broadcast({ payload: { title: "Hello" }, ttl: 60, urgency: "low", topic: "news" });
  assert.deepEqual([counts.accepted, counts.gone, counts.failed], [120, 0, 0]);
  assert.deepEqual(push.requests.map(({ name }) => name).sort(), [...names].sort());
  const [{ headers, key }] = push.requests;
  assert.deepEqual([headers.ttl, headers.urgency, headers.topic, key], ["60", "low", "news", keys.publicKey]);
});

test("a test push is tried once, as the page waits, and a refusal is told", async (context) => {
  const { request, push } = await openWith(context, ["ada"]);
  push.answer("ada", { status: 503 });
  const answer = await request("POST", `${api}/test`, subscriptionOf("ada"));
  assert.deepEqual([answer.status, answer.body.error, answer.body.status], [502, "busy", 503]);
  assert.equal(push.requests.length, 1);
});

test("sending is for who has the token, and absent without one", async (context) => {
  const world = await openWorld(context);
  const message = { payload: { title: "Hello" } };
  assert.equal((await world.request("POST", `${api}/send`, message)).status, 401);
  const wrong = { authorization: "Bearer wrong" };
  assert.equal((await world.request("POST", `${api}/send`, message, wrong)).status, 401);
  assert.equal((await world.startBroadcast({ ...message, ttl: -1 })).body.error, "message-malformed");
  assert.equal((await world.startBroadcast({ payload: { title: "x", body: "y".repeat(4000) } })).status, 413);
  const closed = await openWorld(context, { env: { SEND_TOKEN: "" } });
  assert.equal((await closed.startBroadcast(message)).status, 404);
});

test("a service that is busy is asked again, and a failure is counted", async (context) => {
  const { broadcast, push } = await openWith(context, ["ada", "bob", "eve"]);
  push.answer("ada", { status: 429, headers: { "retry-after": "0" } }, { status: 201 });
  push.answer("bob", { status: 503 });
  push.answer("eve", { status: 400, body: "BadTtl" });
  const counts = await broadcast();
  assert.deepEqual([counts.accepted, counts.gone, counts.failed], [1, 0, 2]);
  const asked = (wanted) => push.requests.filter(({ name }) => name === wanted).length;
  assert.deepEqual([asked("ada"), asked("bob"), asked("eve")], [2, 4, 1]);
});

test("who is gone is not sent to again, and deleted after the time of grace", async (context) => {
  const world = await openWith(context, ["ada", "bob"]);
  world.push.answer("ada", { status: 410 });
  assert.equal((await world.broadcast()).gone, 1);
  assert.notEqual(rowOf(world, "ada").gone_at, null);
  const second = await world.broadcast();
  assert.deepEqual([second.accepted, second.gone], [1, 0]);
  world.later(8 * 86_400_000);
  await world.broadcast();
  assert.equal(rowOf(world, "ada"), undefined);
  assert.equal(rowOf(world, "bob").gone_at, null);
});

test("a subscription of the last minute is spared: push services need a moment to know it", async (context) => {
  const world = await openWorld(context);
  await world.register(subscribe("ada", world.keys.publicKey));
  world.push.answer("ada", { status: 404 });
  await world.broadcast();
  assert.equal(rowOf(world, "ada").gone_at, null);
});

test("who registers while a message is on its way is not taken for gone", async (context) => {
  const world = await openWith(context, ["ada"]);
  let answerNow;
  world.push.answer("ada", { status: 410, until: new Promise((resolve) => (answerNow = resolve)) });
  const arrived = world.push.next();
  const sending = world.broadcast();
  await arrived;
  world.later(1000);
  await world.register(subscribe("ada", world.keys.publicKey));
  answerNow();
  await sending;
  assert.equal(rowOf(world, "ada").gone_at, null);
});

for (const [vendor, answer] of [
  ["Google", { status: 403, body: "the VAPID credentials in the authorization header do not correspond" }],
  ["Mozilla", { status: 401, body: '{"code":401,"errno":109,"message":"VAPID public key mismatch"}' }],
  ["Apple", { status: 400, body: '{"reason":"VapidPkHashMismatch"}' }],
  [
    "Microsoft",
    { status: 401, headers: { "x-wns-error-description": "The public key is not the channel's" } },
  ],
]) {
  test(`a key that ${vendor} refuses marks the subscription, and deletes nothing`, async (context) => {
    const world = await openWith(context, ["ada"], { env: { PRUNE_AFTER_DAYS: "0" } });
    world.push.answer("ada", answer);
    assert.equal((await world.broadcast()).failed, 1);
    assert.notEqual(rowOf(world, "ada").wrong_key_at, null);
    await world.broadcast();
    assert.equal(world.push.requests.length, 1);
    world.push.answer("ada", { status: 201 });
    await world.register(subscribe("ada", world.keys.publicKey));
    assert.equal((await world.broadcast()).accepted, 1);
  });
}

test("what is about the sender or the moment touches no subscription", async (context) => {
  const world = await openWith(context, ["ada"], { env: { PRUNE_AFTER_DAYS: "0" } });
  const token = { status: 401, body: '{"code":401,"errno":109,"message":"VAPID expiration is too long"}' };
  const banned = { status: 410, headers: { "x-wns-error-description": "Domain Blocked" } };
  for (const answer of [token, banned]) {
    world.push.answer("ada", answer);
    assert.equal((await world.broadcast()).failed, 1);
  }
  assert.deepEqual([rowOf(world, "ada").gone_at, rowOf(world, "ada").wrong_key_at], [null, null]);
  // Microsoft's 406 is the others' 429.
  world.push.answer("ada", { status: 406, headers: { "retry-after": "0" } }, { status: 201 });
  assert.equal((await world.broadcast()).accepted, 1);
});

test("now or never is said so that Microsoft takes it too", async (context) => {
  const { broadcast, push } = await openWith(context, ["ada"]);
  await broadcast({ payload: { title: "Hello" }, ttl: 0 });
  const [{ headers }] = push.requests;
  assert.deepEqual([headers.ttl, headers["x-wns-cache-policy"]], ["0", "no-cache"]);
});

function subscriptionOf(name) {
  return { endpoint: subscribe(name).endpoint };
}
