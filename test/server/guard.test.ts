/** PROTOCOL.md §6 rows 6, 7, 10: each of these passes when its guard is taken out, and must not. */
import { expect, test } from "vitest";
import { ask, openTestServer, pageBody } from "./harness.ts";

const subscriptions = "/webpush/subscriptions";

test("what the page itself sends is taken", async () => {
  const server = await openTestServer();
  const answer = await ask(server, "POST", subscriptions, {
    headers: { "sec-fetch-site": "same-origin" },
    body: pageBody("phone"),
  });
  expect(answer.status).toBe(201);
  expect(await server.context.subscriptions.list()).toHaveLength(1);
});

test.each([
  ["a foreign Origin", { origin: "https://evil.example" }],
  ["another port of localhost", { origin: "http://localhost:3000" }],
  ["a sandboxed frame", { origin: "null" }],
  ["no Origin, labelled as cross-site", { origin: undefined, "sec-fetch-site": "cross-site" }],
  ["no Origin, labelled as same-site: another port", { origin: undefined, "sec-fetch-site": "same-site" }],
])("%s stores nothing", async (_what, headers) => {
  const server = await openTestServer();
  const answer = await ask(server, "POST", subscriptions, { headers, body: pageBody("phone") });
  expect(answer).toMatchObject({ status: 403 });
  expect(answer.json()).toMatchObject({ error: "cross-site" });
  expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  expect(await server.context.subscriptions.list()).toEqual([]);
  expect(server.events).toMatchObject([{ type: "refused", code: "cross-site" }]);
});

test.each([
  ["text/plain"],
  ["application/x-www-form-urlencoded"],
  ["multipart/form-data; boundary=x"],
  [undefined],
])("a form of content type %s stores nothing", async (type) => {
  const server = await openTestServer();
  const headers = { "content-type": type, origin: undefined };
  const answer = await ask(server, "POST", subscriptions, { headers, body: pageBody("phone") });
  expect(answer.status).toBe(415);
  expect(await server.context.subscriptions.list()).toEqual([]);
});

test.each([
  "evil.example",
  "evil.example:80",
  "localhost.evil.example:PORT",
  "127.0.0.1.evil.example:PORT",
  "localhost:1",
  "localhost",
  "10.0.0.1:PORT",
  "user@localhost:PORT",
])("a rebound name, Host %j, reads nothing", async (host) => {
  const server = await openTestServer();
  const headers = { host: host.replace("PORT", String(server.port)) };
  for (const path of ["/", "/webpush/key"]) {
    const answer = await ask(server, "GET", path, { headers });
    expect([400, 403]).toContain(answer.status);
    expect(answer.body.toString()).not.toContain("doctype");
    expect(answer.body.toString()).not.toContain("publicKey");
  }
});

test.each(["localhost", "127.0.0.1", "app.localhost", "[::1]"])("%s is this machine", async (name) => {
  const server = await openTestServer();
  const answer = await ask(server, "GET", "/", { headers: { host: `${name}:${server.port}` } });
  expect(answer.status).toBe(200);
});

test("a foreign page may link here, and neither embed nor load anything", async () => {
  const server = await openTestServer();
  const foreign = { "sec-fetch-site": "cross-site" };
  const visit = { ...foreign, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  expect((await ask(server, "GET", "/", { headers: visit })).status).toBe(200);
  for (const headers of [
    { ...foreign, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
    { ...foreign, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
  ]) {
    expect((await ask(server, "GET", "/", { headers })).status).toBe(403);
  }
  expect((await ask(server, "GET", "/webpush/key", { headers: visit })).status).toBe(403);
});

test("every answer says that no other site may have it", async () => {
  const server = await openTestServer();
  const asked = [
    ask(server, "GET", "/"),
    ask(server, "GET", "/absent"),
    ask(server, "GET", "/webpush/key"),
    ask(server, "POST", subscriptions, { body: "{" }),
    ask(server, "GET", "/", { headers: { host: "evil.example" } }),
  ];
  for (const { headers } of await Promise.all(asked)) {
    expect(headers).toMatchObject({
      "cross-origin-resource-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
    expect(headers["content-security-policy"]).toMatch(/frame-ancestors 'none'/);
  }
});

test.each([false, true])("a body of more than 16 kB is not read, chunked: %s", async (chunked) => {
  const server = await openTestServer();
  const body = pageBody("phone", { expirationTime: 1, padding: "x".repeat(16 * 1024) });
  const answer = await ask(server, "POST", subscriptions, { body, chunked });
  expect(answer).toMatchObject({ status: 413 });
  expect(answer.json()).toMatchObject({ error: "body-too-large" });
});

test("a flood is refused, and told of in few lines", async () => {
  const server = await openTestServer();
  const answers = await Promise.all(
    Array.from({ length: 200 }, () =>
      ask(server, "DELETE", subscriptions, { body: { endpoint: "https://fcm.googleapis.com/x" } }),
    ),
  );
  const refused = answers.filter(({ status }) => status === 429).length;
  expect(refused).toBe(140);
  expect(server.events.length).toBeLessThanOrEqual(20);
  server.context.clock.nowMs += 1000;
  const later = await ask(server, "POST", subscriptions, { body: pageBody("phone") });
  expect(later.status).toBe(201);
  expect((await ask(server, "GET", "/.env")).status).toBe(404);
  expect(server.events.at(-1)).toMatchObject({ type: "refused", code: "path-private", untold: refused - 20 });
});

test("test pushes are limited more tightly: each is sent to somebody", async () => {
  const server = await openTestServer();
  await ask(server, "POST", subscriptions, { body: pageBody("phone") });
  const body = { endpoint: "https://push.example.net/send/phone" };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(server, "POST", "/webpush/test", { body })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
  expect(server.tested).toHaveLength(10);
});

test("the store takes no more than so many from pages, however many come at once", async () => {
  const server = await openTestServer({ maxSubscriptions: 3 });
  const names = Array.from({ length: 8 }, (_, index) => `phone${index}`);
  const answers = await Promise.all(
    names.map((name) => ask(server, "POST", subscriptions, { body: pageBody(name) })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 507, 507, 507, 507, 507]);
  expect(await server.context.subscriptions.list()).toHaveLength(3);
});

test.each([
  ["__proto__", '{"__proto__":{"endpoint":"https://x"}}', "__proto__"],
  ["constructor", JSON.stringify({ constructor: { prototype: { polluted: 1 } } }), "constructor"],
  ["any other", JSON.stringify(pageBody("phone", { isAdmin: true })), "isAdmin"],
  [
    "one of the keys",
    JSON.stringify(pageBody("phone", { keys: { p256dh: "B", auth: "a", __proto_: 1 } })),
    "__proto_",
  ],
])("an unknown member is refused by its name: %s", async (_what, body, name) => {
  const server = await openTestServer();
  const answer = await ask(server, "POST", subscriptions, { body });
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({
    error: "field-unknown",
    message: expect.stringContaining(`"${name}"`) as string,
  });
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(await server.context.subscriptions.list()).toEqual([]);
});

test("a method that a resource does not have is told which it has", async () => {
  const server = await openTestServer();
  const answer = await ask(server, "DELETE", "/webpush/key", { body: {} });
  expect(answer).toMatchObject({ status: 405 });
  expect(answer.json()).toMatchObject({ message: "/webpush/key takes GET" });
  expect((await ask(server, "POST", "/index.html", { body: {} })).status).toBe(405);
});

test("a remote host has to be allowed, and then is addressed by its number alone", async () => {
  await expect(openTestServer({ host: "0.0.0.0" })).rejects.toMatchObject({ code: "serve-host" });
  const server = await openTestServer({ host: "0.0.0.0", allowRemote: true });
  const byNumber = await ask(server, "GET", "/", { headers: { host: `192.168.1.9:${server.port}` } });
  const byName = await ask(server, "GET", "/", { headers: { host: `evil.example:${server.port}` } });
  expect([byNumber.status, byName.status]).toEqual([200, 403]);
});

test("loopback of both kinds is listened on, where the machine has both", async () => {
  const server = await openTestServer();
  const overIpv6 = await ask(server, "GET", "/", { address: "::1" }).catch((error: unknown) => error);
  if (overIpv6 instanceof Error) expect(overIpv6.message).toMatch(/EADDRNOTAVAIL|EAFNOSUPPORT|ECONNREFUSED/);
  else expect(overIpv6).toMatchObject({ status: 200 });
});

test("a port that is taken is said, with what to do", async () => {
  const { port } = await openTestServer();
  await expect(openTestServer({ port })).rejects.toMatchObject({
    code: "serve-port",
    message: `port ${port} of 127.0.0.1 is taken by another program`,
  });
});
