/**
 * Each personality over HTTP: its answers are read by our own sender's diagnosis, and each must be the row it stands for.
 */
import { describe, expect, test } from "vitest";
import { diagnoses, type CauseId } from "../../src/protocol/diagnoses.ts";
import { factsOf } from "../../src/protocol/services.ts";
import { classifyResponse } from "../../src/protocol/delivery.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { personalityIds, type PersonalityId } from "../../src/emulator/personalities.ts";
import { exampleAnswer } from "../../src/emulator/personalities/answers.ts";
import { findRoute } from "../../src/emulator/route.ts";
import { pushRoutes } from "../../src/emulator/push-routes.ts";
import { callSecurely, connectThrough } from "./secure-wire.ts";
import { k, other } from "./vapid-cases.ts";
import { sendTo, vapidFor } from "./vendor-answers.ts";
import {
  call,
  errorOf,
  openTestEmulator,
  poll,
  sealed,
  subscribeAt,
  until,
  type Call,
  type TestEmulator,
} from "./wire.ts";

type Vendor = Exclude<PersonalityId, "strict">;
const vendors = ["fcm", "mozilla", "apple", "wns"] as const satisfies readonly Vendor[];

interface Scene {
  readonly emulator: TestEmulator;
  readonly endpoint: string;
  readonly resource: string;
  /** Headers of a message that every vendor takes. */
  readonly good: Readonly<Record<string, string>>;
}

async function openScene(as: Vendor, limits = {}): Promise<Scene & AsyncDisposable> {
  const emulator = await openTestEmulator({ limits });
  const { endpoint, resource } = await subscribeAt(emulator.origin, k, as);
  const good = { ...sealed, authorization: vapidFor(emulator) };
  const close = () => emulator.close();
  return { emulator, endpoint, resource, good, [Symbol.asyncDispose]: close };
}

/** Headers without some of them. */
function without(headers: Readonly<Record<string, string>>, ...names: readonly string[]) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** A message as a sender would write it, after whatever has to happen first. */
type Provoke = (scene: Scene) => Call | Promise<Call>;

const headers =
  (change: (scene: Scene) => Readonly<Record<string, string>>): Provoke =>
  (scene) => ({ headers: { ...scene.good, ...change(scene) }, body: "x" });
const bytes =
  (count: number): Provoke =>
  ({ good }) => ({ headers: good, body: Buffer.alloc(count) });
const claims = (change: (now: number) => object): Provoke =>
  headers(({ emulator }) => ({
    authorization: vapidFor(emulator, change(emulator.clock.now() / 1000)),
  }));
const noVapid: Provoke = ({ good }) => ({ headers: without(good, "authorization"), body: "x" });
const noTtl: Provoke = ({ good }) => ({ headers: without(good, "ttl"), body: "x" });
const otherKey: Provoke = headers(({ emulator }) => ({ authorization: vapidFor(emulator, {}, other) }));
const badSignature: Provoke = headers(({ emulator }) => ({
  authorization: vapidFor(emulator, {}, other).replace(/ k=.*$/, ` k=${k}`),
}));
const badKey: Provoke = headers(({ good }) => ({ authorization: `${good["authorization"] ?? ""}=` }));
const unsubscribed: Provoke = async (scene) => {
  await call("DELETE", scene.resource);
  return { headers: scene.good, body: "x" };
};
const oneTooMany: Provoke = async ({ endpoint, good }) => {
  await call("POST", endpoint, { headers: good, body: "x" });
  return { headers: good, body: "x" };
};
const draftCoding = { "content-encoding": "aesgcm", encryption: "salt=AA", "crypto-key": "dh=BB" };

const day = 86_400;

/** What a message alone can bring about, by the row that the answer must be. */
const provoked: Readonly<Record<Vendor, readonly (readonly [CauseId, string, Provoke])[]>> = {
  fcm: [
    ["fcm.too-large", "4097 bytes", bytes(4097)],
    [
      "fcm.too-large",
      "4097 bytes and no token, for the size comes first",
      ({ good }) => ({ headers: without(good, "authorization"), body: Buffer.alloc(4097) }),
    ],
    ["fcm.ttl", "no TTL", noTtl],
    ["fcm.ttl", "a TTL above 28 days", headers(() => ({ ttl: String(28 * day + 1) }))],
    ["fcm.ttl", "a TTL that is no number", headers(() => ({ ttl: "soon" }))],
    ["fcm.no-auth", "no token", noVapid],
    ["fcm.key-mismatch", "another key", otherKey],
    ["fcm.aud", "another audience", claims(() => ({ aud: "https://push.example.net" }))],
    ["fcm.exp", "a token that is over", claims((now) => ({ exp: now - 60 }))],
    ["fcm.exp", "a token for two days", claims((now) => ({ exp: now + 2 * day }))],
    ["fcm.exp", "a token without end", claims(() => ({ exp: undefined }))],
    ["fcm.jwt", "a signature by another key", badSignature],
    ["fcm.public-key", "a padded key", badKey],
    ["fcm.gone", "an endpoint that was unsubscribed", unsubscribed],
    ["fcm.rate", "one message too many", oneTooMany],
    ["http.400", "an unknown urgency", headers(() => ({ urgency: "urgent" }))],
    ["http.400", "a topic that is none", headers(() => ({ topic: "a b" }))],
  ],
  mozilla: [
    ["moz.key-mismatch", "another key", otherKey],
    ["moz.exp", "a token that is over", claims((now) => ({ exp: now - 60 }))],
    ["moz.exp", "a token for two days", claims((now) => ({ exp: now + 2 * day }))],
    ["moz.exp", "a token without end", claims(() => ({ exp: undefined }))],
    ["moz.aud", "another audience", claims(() => ({ aud: "https://push.example.net" }))],
    ["moz.auth", "no token", noVapid],
    ["moz.auth", "a signature by another key", badSignature],
    ["moz.auth", "a padded key", badKey],
    ["moz.gone", "an endpoint that was unsubscribed", unsubscribed],
    ["moz.too-large", "4097 bytes", bytes(4097)],
    ["moz.ttl", "no TTL", noTtl],
    ["moz.ttl", "a negative TTL", headers(() => ({ ttl: "-1" }))],
    ["moz.topic", "a topic of 33 characters", headers(() => ({ topic: "t".repeat(33) }))],
    ["moz.crypto", "an unknown coding", headers(() => ({ "content-encoding": "gzip" }))],
    ["moz.storage", "one message too many", oneTooMany],
  ],
  apple: [
    ["apple.jwt", "no token", noVapid],
    ["apple.jwt", "a signature by another key", badSignature],
    ["apple.jwt", "no contact", claims(() => ({ sub: undefined }))],
    ["apple.jwt", "a contact nobody reaches", claims(() => ({ sub: "mailto:me@localhost" }))],
    ["apple.jwt", "another audience", claims(() => ({ aud: "https://push.example.net" }))],
    ["apple.jwt", "a token that is over", claims((now) => ({ exp: now - 60 }))],
    [
      "apple.auth-header",
      "the draft's scheme",
      headers(({ good }) => ({
        authorization: (good["authorization"] ?? "").replace("vapid t=", "WebPush "),
      })),
    ],
    ["apple.public-key", "a padded key", badKey],
    ["apple.key-mismatch", "another key", otherKey],
    ["apple.topic", "a topic of 5 characters", headers(() => ({ topic: "hello" }))],
    ["apple.ttl", "no TTL", noTtl],
    ["apple.urgency", "an unknown urgency", headers(() => ({ urgency: "urgent" }))],
    ["apple.request", "the draft's coding", headers(() => draftCoding)],
    ["apple.gone", "an endpoint that was unsubscribed", unsubscribed],
    ["apple.rate", "one message too many", oneTooMany],
    ["http.413", "4097 bytes", bytes(4097)],
  ],
  wns: [
    ["wns.ttl", "a TTL of 0", headers(() => ({ ttl: "0" }))],
    ["wns.ttl", "a TTL and no-cache", headers(() => ({ "x-wns-cache-policy": "no-cache" }))],
    ["wns.key-mismatch", "another key", otherKey],
    ["wns.jwt", "no token", noVapid],
    ["wns.jwt", "a signature by another key", badSignature],
    ["wns.jwt", "a padded key", badKey],
    ["wns.throttled", "one message too many", oneTooMany],
    ["wns.gone", "an endpoint that was unsubscribed", unsubscribed],
    ["wns.too-large", "5001 bytes", bytes(5001)],
    [
      "ok.dropped",
      "no-cache with nobody there",
      headers(() => ({ ttl: "0", "x-wns-cache-policy": "no-cache" })),
    ],
    ["http.400", "a body in chunks", headers(() => ({ "transfer-encoding": "chunked" }))],
  ],
};

/** Rows that need more than a message; faults answer with their examples. */
const needsFault: readonly CauseId[] = [
  "ok.throttled",
  "fcm.unauthorized-registration",
  "fcm.bad-endpoint",
  "moz.router",
  "moz.bridge",
  "wns.forbidden",
  "wns.domain-blocked",
];

/** Rows of a token that was never given out. */
const unknownToken: Readonly<Record<Vendor, CauseId>> = {
  fcm: "fcm.stale",
  mozilla: "moz.token",
  apple: "apple.path",
  wns: "wns.gone",
};

describe.each(vendors)("as %s", (vendor) => {
  test.each(provoked[vendor])("%s: %s", async (row, _name, provoke) => {
    await using scene = await openScene(
      vendor,
      row.match(/rate|storage|throttled/) ? { maxMessagesPerSubscription: 1 } : {},
    );
    const { answer, delivery } = await sendTo(scene.endpoint, await provoke(scene));
    expect(delivery.cause).toBe(row);
    const event = scene.emulator.events.findLast(({ type }) => type === "refused");
    if (delivery.outcome !== "accepted")
      expect(event).toMatchObject({ status: answer.status, personality: vendor });
  });

  test("a token that was never given out is answered as the path says", async () => {
    await using scene = await openScene(vendor);
    const { delivery } = await sendTo(`${scene.endpoint}x`, { headers: scene.good, body: "x" });
    expect(delivery.cause).toBe(unknownToken[vendor]);
  });

  test("a good message is accepted, waits, and is delivered like any other", async () => {
    await using scene = await openScene(vendor);
    const { delivery } = await sendTo(scene.endpoint, { headers: scene.good, body: "sealed" });
    expect(delivery).toMatchObject({ outcome: "accepted", cause: "ok", status: 201 });
    expect(delivery.requestId).toBeDefined();
    expect((await poll(scene.resource)).body.toString()).toBe("sealed");
  });

  test("its limits and statuses are those of protocol/services.ts", async () => {
    const { limits, authorization } = factsOf(vendor);
    await using scene = await openScene(vendor);
    const { endpoint, good } = scene;
    const status = async (message: Call) => (await call("POST", endpoint, message)).status;
    expect(await status({ headers: good, body: Buffer.alloc(limits.bodyBytes) })).toBe(201);
    expect(await status({ headers: good, body: Buffer.alloc(limits.bodyBytes + 1) })).toBe(
      limits.tooLargeStatus,
    );
    expect(await status(await otherKey(scene))).toBe(authorization.mismatchStatus);
    const zero = { ...good, ttl: "0", ...limits.ttlZeroHeaders };
    expect(await status({ headers: zero, body: "x" })).toBe(201);
    const most = limits.maxTtlSeconds ?? 365 * day;
    expect(await status({ headers: { ...good, ttl: String(most) }, body: "x" })).toBe(201);
    const above = await status({ headers: { ...good, ttl: String(most + 1) }, body: "x" });
    expect(above).toBe(limits.aboveMaxTtl === "refuse" ? 400 : 201);
    const kept = scene.emulator.events.findLast((event) => event.type === "accepted");
    const granted = limits.aboveMaxTtl === "cut" || limits.aboveMaxTtl === "refuse" ? most : most + 1;
    expect(kept?.ttlSeconds).toBe(granted);
  });
});

test("every row of the vendors' is provoked by a message, or answered by a fault with its example", () => {
  const rows = diagnoses.filter(({ service }) => vendors.some((vendor) => vendor === service));
  const byMessage = Object.values(provoked).flatMap((list) => list.map(([row]) => row));
  const covered = new Set<string>([...byMessage, ...Object.values(unknownToken), ...needsFault]);
  expect(rows.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
});

test("each row's example can be had as an answer, and is diagnosed as it is", () => {
  const endpoints: Readonly<Record<string, string>> = {
    fcm: "http://127.0.0.1:8030/fcm/send/abc",
    mozilla: "http://127.0.0.1:8030/wpush/v2/abc",
    apple: "http://127.0.0.1:8030/apple/abc",
    wns: "http://127.0.0.1:8030/wns/?token=abc",
    any: "http://127.0.0.1:8030/push/abc",
  };
  for (const { id, service, example } of diagnoses) {
    const answer = exampleAnswer(id);
    expect(answer === undefined, id).toBe(example === undefined);
    const endpoint = endpoints[service];
    if (answer === undefined || endpoint === undefined) continue;
    const response = { ...answer, body: Buffer.from(answer.body).toString() };
    expect(classifyResponse(parseEndpoint(endpoint), response, 0).cause).toBe(id);
  }
});

describe("what is in the answers", () => {
  test("FCM names the message, and nothing else", async () => {
    await using scene = await openScene("fcm");
    const { answer } = await sendTo(scene.endpoint, {
      headers: { ...scene.good, ttl: "2419200" },
      body: "x",
    });
    expect(answer.headers["location"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/0:\d{16}%[0-9a-f]{32}$/);
    expect(answer.headers["ttl"]).toBeUndefined();
    expect(answer.body).toHaveLength(0);
  });

  test("Apple's acceptance has an apns-id, its 410 the time at which the subscription ended", async () => {
    await using scene = await openScene("apple");
    const { endpoint, good, resource, emulator } = scene;
    const { answer, delivery } = await sendTo(endpoint, { headers: good, body: "x" });
    expect(answer.headers["apns-id"]).toMatch(/^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    expect(answer.headers["location"]).toBeUndefined();
    expect(delivery.requestId).toBe(answer.headers["apns-id"]);
    await call("DELETE", resource);
    const endedAt = emulator.clock.now();
    emulator.clock.advance(60);
    const gone = await sendTo(endpoint, { headers: good, body: "x" });
    expect(gone.delivery).toMatchObject({ outcome: "gone", goneSince: endedAt });
  });

  test("WNS speaks in headers and says whether the device is there", async () => {
    await using scene = await openScene("wns");
    const { endpoint, good, resource, emulator } = scene;
    const { answer } = await sendTo(endpoint, { headers: good, body: "x" });
    expect(answer.headers).toMatchObject({
      "x-wns-status": "received",
      "x-wns-notificationstatus": "received",
      "x-wns-deviceconnectionstatus": "disconnected",
      "x-wns-msg-id": expect.stringMatching(/^[0-9A-F]{16}$/) as string,
      "ms-cv": expect.stringMatching(/^[\w+/]{16}\.0$/) as string,
    });
    await call("DELETE", (await poll(resource)).headers["content-location"] ?? "");
    const waiting = call("GET", resource);
    await until(() => emulator.service.subscriptions()[0]?.isConnected === true);
    const there = await sendTo(endpoint, { headers: good, body: "x" });
    expect(there.answer.headers["x-wns-deviceconnectionstatus"]).toBe("connected");
    await waiting;
    const refused = await sendTo(endpoint, { headers: { ...good, ttl: "0" }, body: "x" });
    expect(refused.answer.body).toHaveLength(0);
    expect(refused.answer.headers["x-wns-error-description"]).toBe(
      "Ttl value conflicts with X-WNS-Cache-Policy.",
    );
  });

  test("Mozilla says the TTL it settled on", async () => {
    await using scene = await openScene("mozilla");
    const { delivery } = await sendTo(scene.endpoint, {
      headers: { ...scene.good, ttl: "9999999" },
      body: "x",
    });
    expect(delivery).toMatchObject({ outcome: "accepted", ttlSeconds: 2_592_000 });
  });
});

describe("what a vendor does not look at", () => {
  test.each([
    ["mozilla", { urgency: "urgent" }],
    ["mozilla", { topic: "bmV3cw==" }],
    ["wns", { urgency: "urgent" }],
    ["wns", { topic: "a b" }],
    ["fcm", { topic: "hello" }],
    ["apple", { topic: "helloworld12" }],
  ] as const)("%s: %j", async (vendor, over) => {
    await using scene = await openScene(vendor);
    const { delivery } = await sendTo(scene.endpoint, { headers: { ...scene.good, ...over }, body: "x" });
    expect(delivery.outcome).toBe("accepted");
  });

  test.each(["fcm", "mozilla", "wns"] as const)("%s: who the sender says to be", async (vendor) => {
    await using scene = await openScene(vendor);
    const provoke = claims(() => ({ sub: "nobody" }));
    const { delivery } = await sendTo(scene.endpoint, await provoke(scene));
    expect(delivery.outcome).toBe("accepted");
  });
});

describe("which personality a subscription has", () => {
  test("the door's own, the emulator's, or the one that was asked for, each later before the earlier", async () => {
    await using plain = await openTestEmulator();
    await using apples = await openTestEmulator({ personality: "apple" });
    const pathOf = async (origin: string, as?: PersonalityId) =>
      new URL((await subscribeAt(origin, undefined, as)).endpoint).pathname.replace(/[\w-]{22}/, "ID");
    expect(await pathOf(plain.origin)).toBe("/push/ID");
    expect(await pathOf(apples.origin)).toBe("/apple/ID");
    expect(await pathOf(apples.origin, "strict")).toBe("/push/ID");
    expect(await pathOf(plain.origin, "fcm")).toBe("/fcm/send/ID");
    expect(await pathOf(plain.origin, "mozilla")).toBe("/wpush/v1/ID");
    expect(await pathOf(plain.origin, "wns")).toBe("/wns/");
    const ids = apples.service.subscriptions().map(({ personality }) => personality);
    expect(ids).toEqual(["apple", "strict"]);
    expect(plain.events.filter(({ type }) => type === "subscribed")).toMatchObject([
      { personality: "strict" },
      { personality: "fcm" },
      { personality: "mozilla" },
      { personality: "wns" },
    ]);
  });

  test("one that is none is refused", async () => {
    await using emulator = await openTestEmulator();
    const answer = await call("POST", `${emulator.origin}/subscribe?as=gcm`);
    expect(errorOf(answer)).toMatchObject({ code: 400, error: "personality-unknown" });
  });

  test("it answers wherever it is found, and is remembered after its end", async () => {
    await using scene = await openScene("apple");
    const { emulator, endpoint, good, resource } = scene;
    const id = endpoint.split("/").at(-1) ?? "";
    const { origin } = emulator;
    for (const path of ["/push/", "/fcm/send/", "/wp/", "/preprod/wp/", "/wpush/v2/", "/wns/?token="]) {
      const answer = await call("POST", `${origin}${path}${id}`, { headers: good, body: "x" });
      expect(answer).toMatchObject({ status: 201, headers: { "apns-id": expect.any(String) as string } });
    }
    await call("DELETE", resource);
    const gone = await call("POST", `${origin}/push/${id}`, { headers: good, body: "x" });
    expect(JSON.parse(gone.body.toString())).toMatchObject({ reason: "Unregistered" });
  });

  test("it survives a restart; what an older version saved is what its door made", async () => {
    const before = await openTestEmulator();
    const [vendor, plain] = [await subscribeAt(before.origin, k, "apple"), await subscribeAt(before.origin)];
    await call("DELETE", plain.resource);
    await subscribeAt(before.origin);
    const state = JSON.parse(JSON.stringify(before.service.snapshot())) as Record<string, unknown>;
    await before.close();
    const path = new URL(vendor.endpoint).pathname;
    await using after = await openTestEmulator({ state: state as never });
    const answer = await call("POST", `${after.origin}${path}`, { headers: sealed, body: "x" });
    expect(JSON.parse(answer.body.toString())).toEqual({ reason: "BadJwtToken" });
    const old = state["subscriptions"] as Record<string, unknown>[];
    for (const record of old) delete record["personality"];
    await using older = await openTestEmulator({ state: state as never });
    expect(older.service.subscriptions().map(({ personality }) => personality)).toEqual(["strict", "strict"]);
  });
});

describe("at the vendors' own hosts, as an unmodified sender goes there through the proxy", () => {
  test.each([
    ["fcm", "fcm.googleapis.com", "/fcm/send/"],
    ["fcm", "jmt17.google.com", "/wp/"],
    ["mozilla", "updates.push.services.mozilla.com", "/wpush/v2/"],
    ["apple", "web.push.apple.com", "/"],
    ["wns", "wns2-am3p.notify.windows.com", "/w/?token="],
  ] as const)("%s at %s%s", async (vendor, host, path) => {
    await using scene = await openScene(vendor);
    const { emulator } = scene;
    const origin = `https://${host}`;
    const pushId = emulator.service.subscriptions()[0]?.pushId ?? "";
    const { socket } = await connectThrough(emulator, `${host}:443`);
    const authorization = vapidFor({ origin, clock: emulator.clock });
    const headers = { ...sealed, authorization };
    const answer = await callSecurely(emulator, "POST", `${origin}${path}${pushId}`, {
      headers,
      body: "x",
      socket,
    });
    expect(answer.status).toBe(201);
    if (vendor === "fcm" || vendor === "mozilla") expect(answer.headers["location"]).toContain(`${origin}/`);
  });

  test("what is subscribed there has an endpoint of theirs", async () => {
    await using emulator = await openTestEmulator();
    const endpointAt = async (host: string, as: Vendor) => {
      const answer = await call("POST", `${emulator.origin}/subscribe?as=${as}`, { headers: { host } });
      return (JSON.parse(answer.body.toString()) as { endpoint: string }).endpoint;
    };
    expect(await endpointAt("web.push.apple.com", "apple")).toMatch(
      /^https:\/\/web\.push\.apple\.com\/[\w-]{22}$/,
    );
    expect(await endpointAt("db5p.notify.windows.com", "wns")).toMatch(
      /^https:\/\/db5p\.notify\.windows\.com\/w\/\?token=[\w-]{22}$/,
    );
  });
});

test("on the vendors' own hosts their endpoints have no more than they have there", () => {
  const target = (url: string) => {
    const { pathname: path, searchParams: query, hostname } = new URL(url);
    const found = findRoute(pushRoutes, { path, query, hostname });
    return found && { name: found.route.name, id: found.id };
  };
  expect(target("https://web.push.apple.com/abc")).toEqual({ name: "/", id: "abc" });
  expect(target("https://wns2-am3p.notify.windows.com/w/?token=abc")).toEqual({ name: "/w", id: "abc" });
  expect(target("https://fcm.googleapis.com/fcm/send/abc")).toEqual({ name: "/fcm/send", id: "abc" });
  expect(target("https://jmt17.google.com/preprod/wp/abc")).toEqual({ name: "/wp", id: "abc" });
  expect(target("https://updates.push.services.mozilla.com/wpush/v2/abc")).toEqual({
    name: "/wpush",
    id: "v2/abc",
  });
  expect(target("http://127.0.0.1:8030/abc")).toBeUndefined();
  expect(target("http://127.0.0.1:8030/w/?token=abc")).toBeUndefined();
  expect(target("https://fcm.googleapis.com/abc")).toBeUndefined();
});

test("the list of personalities is what people choose from", () => {
  expect(personalityIds).toEqual(["strict", "fcm", "mozilla", "apple", "wns"]);
});
