import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { isPublic } from "../lib/addresses.js";
import { ConfigError, readConfig } from "../lib/config.js";
import { createLog, shorten } from "../lib/log.js";
import { settings } from "../lib/settings.js";
import { makeKeys, openWorld, subscribe } from "./world.js";

test("after a rotation each subscription is sent to with the key it was made with", async (context) => {
  const [old, current] = [makeKeys(), makeKeys()];
  const before = await openWorld(context, { keys: old });
  await before.register(subscribe("ada", old.publicKey));
  await before.close();

  const after = await openWorld(context, {
    keys: current,
    folder: before.folder,
    env: { VAPID_OLD_KEYS: old.privateKey },
  });
  await after.register(subscribe("bob", current.publicKey));
  assert.equal((await after.broadcast()).accepted, 2);
  const keyOf = Object.fromEntries(after.push.requests.map(({ name, key }) => [name, key]));
  assert.deepEqual(keyOf, { ada: old.publicKey, bob: current.publicKey });
  await after.close();

  const without = await openWorld(context, { keys: current, folder: before.folder });
  const counts = await without.broadcast();
  assert.deepEqual([counts.accepted, counts.failed], [1, 1]);
});

test("stopped in the middle of a broadcast it finishes what is on its way, and goes on at the next start", async (context) => {
  const first = await openWorld(context, { env: { CONCURRENCY: "1" } });
  for (const name of ["ada", "bob", "eve"]) await first.register(subscribe(name, first.keys.publicKey));
  let answerNow;
  first.push.answer("ada", { status: 201, until: new Promise((resolve) => (answerNow = resolve)) });
  const arrived = first.push.next();
  await first.startBroadcast({ payload: { title: "Hello" } });
  await arrived;
  const closing = first.close();
  answerNow();
  await closing;
  assert.deepEqual(
    first.push.requests.map(({ name }) => name),
    ["ada"],
  );

  const second = await openWorld(context, { keys: first.keys, folder: first.folder });
  await second.broadcast({ payload: { title: "Next" } });
  const reached = second.push.requests.map(({ name }) => name);
  assert.deepEqual(reached.slice(0, 2).sort(), ["bob", "eve"]);
  assert.deepEqual(reached.slice(2).sort(), ["ada", "bob", "eve"]);
});

test("the database is the owner's alone", { skip: process.platform === "win32" }, async (context) => {
  const { database, register, keys } = await openWorld(context);
  await register(subscribe("ada", keys.publicKey));
  for (const file of [database, `${database}-wal`]) assert.equal(statSync(file).mode & 0o077, 0, file);
});

test("what is wrong in the environment is said in one line", () => {
  const { publicKey, privateKey } = makeKeys();
  const fine = {
    VAPID_PUBLIC_KEY: publicKey,
    VAPID_PRIVATE_KEY: privateKey,
    VAPID_SUBJECT: "mailto:a@b.example",
  };
  const read = (env) => readConfig({ ...fine, ...env }, { home: "/srv/server", settings });
  assert.equal(read({}).port, 3000);
  for (const [env, said] of [
    [{ VAPID_PRIVATE_KEY: "" }, /not set; .*webpush keys export/],
    [{ VAPID_PRIVATE_KEY: makeKeys().privateKey }, /does not belong/],
    [{ VAPID_OLD_KEYS: "short" }, /VAPID_OLD_KEYS holds no private key/],
    [{ VAPID_SUBJECT: "me" }, /VAPID_SUBJECT is "me"/],
    [{ PORT: "http" }, /PORT is "http"/],
    [{ SEND_TOKEN: "short" }, /32 characters/],
    [{ TRUST_PROXY: "1" }, /TRUST_PROXY has "1"/],
    [{ PUBLIC_ORIGIN: "https://a.example/" }, /PUBLIC_ORIGIN/],
    [{ PUSH_ALLOW_LOOPBACK: "yes" }, /write 1 or 0/],
  ]) {
    assert.throws(
      () => read(env),
      (error) => error instanceof ConfigError && said.test(error.message),
    );
  }
});

test("only addresses that anybody may reach are public", () => {
  for (const address of ["8.8.8.8", "2600::1"]) assert.ok(isPublic(address), address);
  const hidden = [
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "::1",
    "fd00::1",
    "fe80::1",
    "::ffff:10.0.0.1",
    "::",
  ];
  for (const address of hidden) assert.ok(!isPublic(address), address);
});

test("log lines are JSON, and endpoints in them are shortened", () => {
  const lines = [];
  createLog((line) => lines.push(line))("subscribed", {
    endpoint: shorten("https://push.example/wpush/v2/secret-abcdef"),
  });
  const { event, endpoint } = JSON.parse(lines[0]);
  assert.deepEqual([event, endpoint], ["subscribed", "push.example/…abcdef"]);
});
