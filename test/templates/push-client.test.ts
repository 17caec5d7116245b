import { afterEach, describe, expect, test, vi } from "vitest";
import { installBrowser, type FetchedRequest } from "./browser-fake.ts";
import { clientFolder, examplePublicKey } from "./client.ts";

interface Status {
  readonly state: string;
  readonly record?: { readonly endpoint: string };
  readonly delivery?: string;
  readonly error?: Error;
}
interface Session {
  readonly key?: string;
  readonly problem?: Status;
}
interface PushClient {
  readonly checkSupport: () => string | null;
  readonly open: (config: object) => Promise<Session>;
  readonly resume: (session: Session) => Promise<Status>;
  readonly turnOn: (session: Session) => Promise<Status>;
  readonly turnOff: (session: Session) => Promise<Status>;
  readonly sendTest: (session: Session, record: { endpoint: string }) => Promise<string>;
}

// The template is plain JavaScript for browsers; what it exports is stated above.
const { checkSupport, open, resume, turnOn, turnOff, sendTest } = (await import(
  `${clientFolder}push-client.js`
)) as PushClient;

const key = examplePublicKey;
const otherKey = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString("base64url");
const config = { publicKey: key, server: null as string | null, worker: "sw.js", subscribeTimeoutMs: 1000 };
const withServer = { ...config, server: "/webpush" };

/** A server that answers everything with 200 and `{}`, except what the test says. */
const kindServer =
  (special: (request: FetchedRequest) => Response | undefined = () => undefined) =>
  (request: FetchedRequest): Response =>
    special(request) ?? Response.json({});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("where push cannot work", () => {
  test.each([
    ["insecure", { secure: false }],
    ["ios-tab", { device: "ios-tab" }],
    ["ios-tab", { device: "ipad-tab" }],
    ["unsupported", { device: "old" }],
    [null, { device: "ios-app" }],
    [null, {}],
  ] as const)("it is %j in %j", (reason, browser) => {
    installBrowser(browser);
    expect(checkSupport()).toBe(reason);
  });

  test("nothing is registered and every function repeats the reason", async () => {
    const browser = installBrowser({ device: "ios-tab" });
    const session = await open(config);
    for (const job of [resume, turnOn, turnOff]) expect(await job(session)).toEqual({ state: "ios-tab" });
    expect(browser.journal).toEqual([]);
  });

  test.each([
    ["too short", "BA1H"],
    ["with padding", `${key}=`],
    ["standard base64", key.replaceAll("-", "+")],
    ["another kind of point", Buffer.concat([Buffer.from([2]), Buffer.alloc(64)]).toString("base64url")],
    ["missing", undefined],
  ])("a key that is %s is found before anybody is asked", async (_name, publicKey) => {
    installBrowser();
    expect((await open({ ...config, publicKey })).problem).toMatchObject({ state: "bad-key" });
  });

  test("a worker that cannot be loaded", async () => {
    const error = new TypeError("Failed to register a ServiceWorker: 404");
    installBrowser({ onRegister: () => error });
    expect((await open(config)).problem).toEqual({ state: "worker-failed", error });
  });

  test("a worker that does not install", async () => {
    installBrowser({ onRegister: () => "redundant" });
    expect((await open(config)).problem).toMatchObject({ state: "worker-failed" });
  });

  test("a worker that is still installing is waited for", async () => {
    installBrowser({ onRegister: () => "installing" });
    expect(await open(config)).not.toHaveProperty("problem");
  });
});

describe("loading the page", () => {
  test("asks nothing and subscribes nothing", async () => {
    const browser = installBrowser();
    expect(await resume(await open(config))).toEqual({ state: "off" });
    expect(browser.journal).toEqual(["register sw.js"]);
  });

  test("also when permission was given earlier, for something else", async () => {
    const browser = installBrowser({ permission: "granted" });
    expect(await resume(await open(config))).toEqual({ state: "off" });
    expect(browser.journal).toEqual(["register sw.js"]);
  });

  test("sends the subscription again on every visit", async () => {
    const browser = installBrowser({
      permission: "granted",
      subscription: { endpoint: "https://push.example/a", key },
      onFetch: kindServer(),
    });
    const session = await open(withServer);
    expect(await resume(session)).toMatchObject({ state: "on", delivery: "saved" });
    await resume(session);
    const posts = browser.requests.filter(({ method }) => method === "POST");
    expect(posts).toHaveLength(2);
    expect(posts[0]).toEqual({
      method: "POST",
      url: "/webpush/subscriptions",
      body: {
        endpoint: "https://push.example/a",
        expirationTime: null,
        keys: { p256dh: "p", auth: "a" },
        applicationServerKey: key,
      },
    });
  });

  test("names the old endpoint when the browser has replaced the subscription meanwhile", async () => {
    const browser = installBrowser({
      permission: "granted",
      subscription: { endpoint: "https://push.example/b", key },
      memory: { endpoint: "https://push.example/a", wanted: true },
      onFetch: kindServer(),
    });
    await resume(await open(withServer));
    expect(browser.requests.at(-1)?.body).toMatchObject({
      endpoint: "https://push.example/b",
      oldEndpoint: "https://push.example/a",
    });
    expect(browser.memory()).toEqual({
      server: "/webpush",
      publicKey: key,
      endpoint: "https://push.example/b",
      wanted: true,
    });
  });

  test("subscribes again silently when the browser has dropped the subscription", async () => {
    const browser = installBrowser({
      permission: "granted",
      memory: { endpoint: "https://push.example/a", wanted: true },
      onFetch: kindServer(),
    });
    expect(await resume(await open(withServer))).toMatchObject({ state: "on" });
    expect(browser.requests.at(-1)?.body).toMatchObject({
      endpoint: "https://push.example/1",
      oldEndpoint: "https://push.example/a",
    });
  });

  test("offers the button when that needs a press, as in Safari", async () => {
    const browser = installBrowser({
      permission: "granted",
      memory: { endpoint: "https://push.example/a", wanted: true },
      onSubscribe: () => new DOMException("no gesture", "NotAllowedError"),
    });
    expect(await resume(await open(config))).toMatchObject({ state: "lost" });
    expect(browser.memory()).toMatchObject({ endpoint: "https://push.example/a", wanted: true });
  });

  test("offers the button when the permission has been reset", async () => {
    const browser = installBrowser({ memory: { wanted: true } });
    expect(await resume(await open(config))).toEqual({ state: "lost" });
    expect(browser.journal).toEqual(["register sw.js"]);
  });

  test("tells the server when the visitor has blocked notifications since", async () => {
    const browser = installBrowser({
      permission: "denied",
      memory: { endpoint: "https://push.example/a", wanted: true },
      onFetch: kindServer(),
    });
    expect(await resume(await open(withServer))).toEqual({ state: "denied" });
    expect(browser.requests.at(-1)).toEqual({
      method: "DELETE",
      url: "/webpush/subscriptions",
      body: { endpoint: "https://push.example/a" },
    });
    expect(browser.memory()).toMatchObject({ endpoint: null, wanted: false });
  });

  test("finishes turning off what could not be turned off the last time", async () => {
    const browser = installBrowser({
      permission: "granted",
      subscription: { endpoint: "https://push.example/a", key },
      memory: { wanted: false },
    });
    expect(await resume(await open(config))).toMatchObject({ state: "off" });
    expect(browser.subscription()).toBeNull();
  });
});

describe("when the key has changed", () => {
  const subscription = { endpoint: "https://push.example/a", key: otherKey };

  test("the old subscription is given up first, and the server learns both endpoints", async () => {
    const browser = installBrowser({ permission: "granted", subscription, onFetch: kindServer() });
    expect(await resume(await open(withServer))).toMatchObject({ state: "on", delivery: "saved" });
    expect(browser.journal).toEqual(["register sw.js", "unsubscribe https://push.example/a", "subscribe"]);
    expect(browser.requests.at(-1)?.body).toMatchObject({
      endpoint: "https://push.example/1",
      oldEndpoint: "https://push.example/a",
      applicationServerKey: key,
    });
  });

  test("and the browser wants a press for the new one, the old endpoint is not forgotten", async () => {
    let presses = 0;
    const browser = installBrowser({
      permission: "granted",
      subscription,
      onSubscribe: () => (presses++ === 0 ? new DOMException("no gesture", "NotAllowedError") : undefined),
      onFetch: kindServer(),
    });
    const session = await open(withServer);
    expect(await resume(session)).toMatchObject({ state: "lost" });
    expect(await turnOn(session)).toMatchObject({ state: "on" });
    expect(browser.requests.at(-1)?.body).toMatchObject({ oldEndpoint: "https://push.example/a" });
  });

  test("between loading and pressing, the InvalidStateError is repaired", async () => {
    const browser = installBrowser({ permission: "granted", subscription });
    expect(await turnOn(await open(config))).toMatchObject({ state: "on" });
    expect(browser.journal.slice(1)).toEqual([
      "subscribe",
      "unsubscribe https://push.example/a",
      "subscribe",
    ]);
    expect(browser.subscription()?.key).toBe(key);
  });

  test("on the server only, the server's key is believed", async () => {
    const onFetch = kindServer(({ url }) =>
      url === "/webpush/key" ? Response.json({ publicKey: otherKey }) : undefined,
    );
    installBrowser({ onFetch });
    expect((await open(withServer)).key).toBe(otherKey);
  });

  test.each([
    ["nothing", () => undefined],
    ["404", () => new Response("", { status: 404 })],
    ["a page", () => new Response("<!doctype html>")],
    ["nonsense", () => Response.json({ publicKey: "abc" })],
  ])("a server that answers %s for its key leaves the page with its own", async (_name, onFetch) => {
    installBrowser({ onFetch });
    expect((await open(withServer)).key).toBe(key);
  });
});

describe("turning on", () => {
  test("asks first, then subscribes, with nothing in between", async () => {
    const browser = installBrowser();
    const session = await open(config);
    const pending = turnOn(session);
    expect(browser.journal).toEqual(["register sw.js", "ask"]); // before anything is awaited
    expect(await pending).toMatchObject({ state: "on", delivery: "none" });
    expect(browser.journal).toEqual(["register sw.js", "ask", "subscribe"]);
  });

  test("returns the subscription with the key it was made with", async () => {
    installBrowser();
    expect((await turnOn(await open(config))).record).toEqual({
      endpoint: "https://push.example/1",
      expirationTime: null,
      keys: { p256dh: "p", auth: "a" },
      applicationServerKey: key,
    });
  });

  test("does not ask again when permission is there", async () => {
    const browser = installBrowser({ permission: "granted" });
    const session = await open(config);
    const pending = turnOn(session);
    expect(browser.journal).toEqual(["register sw.js", "subscribe"]);
    await pending;
  });

  test.each([
    ["denied", "denied"],
    ["dismissed", "default"],
  ] as const)("the answer %s ends it", async (state, answer) => {
    const browser = installBrowser({ answer });
    expect(await turnOn(await open(config))).toEqual({ state });
    expect(browser.journal).not.toContain("subscribe");
  });

  test.each([
    ["no-push-service", "AbortError", "Registration failed - push service error"],
    ["no-push-service", "AbortError", "Registration failed - push service not available"],
    ["private-window", "AbortError", "Registration failed - permission denied"],
    ["bad-key", "InvalidAccessError", "The provided applicationServerKey is not valid."],
    ["bad-key", "InvalidCharacterError", "not base64url"],
    ["bad-key", "NotSupportedError", "a key is wanted"],
    ["worker-failed", "InvalidStateError", "no active worker"],
    ["refused", "NotAllowedError", "no reason"],
    ["failed", "SomethingNew", "of which this page has never heard"],
  ])("says %s for %s: %s", async (state, name, message) => {
    const error = new DOMException(message, name);
    installBrowser({ permission: "granted", onSubscribe: () => error });
    expect(await turnOn(await open(config))).toEqual({ state, error });
  });

  test("asks for another press when the question has used the first one up, as in Safari", async () => {
    installBrowser({ onSubscribe: () => new DOMException("no gesture", "NotAllowedError") });
    const session = await open(config);
    expect(await turnOn(session)).toMatchObject({ state: "press-again" });
    expect(await turnOn(session)).toMatchObject({ state: "refused" });
  });

  test("a push service that never answers ends in words, not in waiting", async () => {
    installBrowser({ permission: "granted", onSubscribe: () => "never" });
    const session = await open(config);
    vi.useFakeTimers();
    const pending = turnOn(session);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await pending).toMatchObject({ state: "timeout" });
  });

  test("works without storage, as in some private windows", async () => {
    installBrowser({ cachesFail: true });
    expect(await turnOn(await open(config))).toMatchObject({ state: "on" });
  });
});

describe("the server", () => {
  const html = { headers: { "content-type": "text/html; charset=utf-8" } };
  test.each([
    ["saved", "201", () => new Response("", { status: 201 })],
    ["absent", "404", () => new Response("", { status: 404 })],
    ["absent", "405", () => new Response("", { status: 405 })],
    ["absent", "501", () => new Response("", { status: 501 })],
    ["absent", "its start page to everything", () => new Response("<!doctype html>", html)],
    ["refused", "500", () => new Response("", { status: 500 })],
    ["refused", "400", () => new Response("", { status: 400 })],
    ["unreachable", "nothing", () => undefined],
  ])("is %s when it answers %s, and notifications are on all the same", async (delivery, _name, onFetch) => {
    const browser = installBrowser({ onFetch });
    expect(await turnOn(await open(withServer))).toMatchObject({
      state: "on",
      delivery,
      record: { endpoint: "https://push.example/1" },
    });
    expect(browser.memory()["endpoint"]).toBe(delivery === "saved" ? "https://push.example/1" : null);
  });

  test("is asked for a test push", async () => {
    const browser = installBrowser({ permission: "granted", onFetch: kindServer() });
    const session = await open(withServer);
    expect(await sendTest(session, { endpoint: "https://push.example/1" })).toBe("saved");
    expect(browser.requests.at(-1)).toEqual({
      method: "POST",
      url: "/webpush/test",
      body: { endpoint: "https://push.example/1" },
    });
  });
});

describe("turning off", () => {
  const subscription = { endpoint: "https://push.example/a", key };

  test("ends it in the browser and on the server", async () => {
    const browser = installBrowser({ permission: "granted", subscription, onFetch: kindServer() });
    expect(await turnOff(await open(withServer))).toEqual({ state: "off", delivery: "saved" });
    expect(browser.subscription()).toBeNull();
    expect(browser.requests.at(-1)).toEqual({
      method: "DELETE",
      url: "/webpush/subscriptions",
      body: { endpoint: "https://push.example/a" },
    });
  });

  test("holds on the next visit", async () => {
    const browser = installBrowser({ permission: "granted", subscription });
    await turnOff(await open(config));
    expect(await resume(await open(config))).toEqual({ state: "off" });
    expect(browser.journal).not.toContain("subscribe");
  });

  test("works with the server down", async () => {
    const browser = installBrowser({ permission: "granted", subscription });
    expect(await turnOff(await open(withServer))).toEqual({ state: "off", delivery: "unreachable" });
    expect(browser.subscription()).toBeNull();
  });
});
