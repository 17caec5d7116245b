import { describe, expect, test, vi } from "vitest";
import { fakeSubscription, fakeWindow, origin, scope, startWorker } from "./worker-scope.ts";

const server = { server: "/webpush" };

/** Delivers one push and returns the one notification that must be on the screen after it. */
async function shown(payload?: unknown) {
  const worker = startWorker();
  await worker.push(payload);
  expect(worker.notifications).toHaveLength(1);
  const [notification] = worker.notifications;
  if (!notification) throw new Error("no notification");
  return notification;
}

describe("a push is shown, whatever is in it", () => {
  test("declarative JSON: title and body become the notification, the rest its options", async () => {
    const { title, options } = await shown({
      web_push: 8030,
      notification: {
        title: "New reply",
        body: "Ada answered you",
        navigate: `${scope}threads/7`,
        lang: "en",
        dir: "ltr",
        tag: "thread-7",
        silent: false,
        data: { id: "01J" },
      },
    });
    expect(title).toBe("New reply");
    expect(options).toMatchObject({
      body: "Ada answered you",
      lang: "en",
      dir: "ltr",
      tag: "thread-7",
      silent: false,
    });
    expect(options.data).toEqual({ id: "01J", url: `${scope}threads/7` });
  });

  test("title, navigate, app_badge and mutable are not handed on as options", async () => {
    const { options } = await shown({
      web_push: 8030,
      mutable: true,
      app_badge: "3",
      notification: { title: "Hi", navigate: scope, app_badge: 3, mutable: true },
    });
    for (const name of ["title", "navigate", "app_badge", "mutable"])
      expect(options).not.toHaveProperty(name);
  });

  test("data.url wins over navigate, which a declarative push cannot leave out", async () => {
    const notification = { title: "Hi", navigate: ".", data: { url: "/app/x" } };
    expect((await shown({ web_push: 8030, notification })).options.data).toEqual({ url: "/app/x" });
  });

  test("flat JSON, the style before declarative push, works as well", async () => {
    const { title, options } = await shown({
      title: "Shipped",
      body: "Your parcel is on its way",
      icon: "/parcel.png",
      url: "/parcels/3",
      data: { id: 3 },
    });
    expect(title).toBe("Shipped");
    expect(options).toMatchObject({ body: "Your parcel is on its way", icon: "/parcel.png" });
    expect(options.data).toEqual({ id: 3, url: "/parcels/3" });
  });

  test("a `notification` object beside a top-level `data`, as Firebase sends it", async () => {
    const { title, options } = await shown({ notification: { title: "Hi" }, data: { url: "/x" } });
    expect(title).toBe("Hi");
    expect(options.data).toEqual({ url: "/x" });
  });

  test.each([
    ["plain text", "Hello", "Hello"],
    ["text that looks like a number", "42", "42"],
    ["a JSON string", '"Hello"', "Hello"],
    ["JSON cut short", '{"title":"He', '{"title":"He'],
    ["a JSON list", "[1,2]", "[1,2]"],
  ])("%s becomes the body", async (_name, payload, body) => {
    const { title, options } = await shown(payload);
    expect(title).toBe("New message");
    expect(options["body"]).toBe(body);
  });

  test.each([
    ["an empty push", undefined],
    ["an empty text", ""],
    ["an empty object", {}],
    ["an object that says nothing", { foo: 1 }],
    ["a title and body of wrong types", { title: {}, body: [] }],
    ["a notification that is none", { web_push: 8030, notification: {} }],
  ])("%s shows the fallback", async (_name, payload) => {
    const { title, options } = await shown(payload);
    expect(title).toBe("New message");
    expect(options["body"]).toBe("Open to see what is new.");
  });

  test("a title without a body stands alone", async () => {
    const { title, options } = await shown({ title: "Door open" });
    expect(title).toBe("Door open");
    expect(options).not.toHaveProperty("body");
  });

  test("data that cannot be read shows the fallback", async () => {
    const worker = startWorker();
    const text = () => {
      throw new Error("unreadable");
    };
    await worker.dispatch("push", { data: { text } });
    expect(worker.notifications[0]?.title).toBe("New message");
  });

  test("event.notification of a mutable declarative push is read, and `navigate` is kept for Safari", async () => {
    const worker = startWorker();
    // As in a browser: the members are getters of the prototype, not properties of the object.
    class BrowserNotification {
      readonly title = "Declared";
      get body() {
        return "by the browser";
      }
      get navigate() {
        return `${scope}inbox`;
      }
      get icon() {
        return "";
      }
      get vibrate() {
        return Object.freeze([]);
      }
      get silent() {
        return null;
      }
      get data() {
        return { id: "d1" };
      }
    }
    await worker.dispatch("push", { data: null, notification: new BrowserNotification() });
    expect(worker.notifications[0]?.title).toBe("Declared");
    expect(worker.notifications[0]?.options).toEqual({
      body: "by the browser",
      icon: "icons/icon-192.png",
      badge: "icons/badge-96.png",
      navigate: `${scope}inbox`,
      tag: "d1",
      data: { id: "d1", url: `${scope}inbox` },
    });
  });

  test("silent with vibrate, which would throw, loses the vibration", async () => {
    const { options } = await shown({ title: "Hi", silent: true, vibrate: [100, 50] });
    expect(options).toMatchObject({ silent: true });
    expect(options).not.toHaveProperty("vibrate");
  });

  test("renotify without a tag, which would throw, is dropped; with one it is kept", async () => {
    const { options } = await shown({ title: "Hi", renotify: true, tag: "" });
    expect(options).not.toHaveProperty("renotify");
    expect(options).toHaveProperty("icon"); // shown in full, not by the plain second attempt
    expect((await shown({ title: "Hi", renotify: true, tag: "t" })).options).toMatchObject({
      renotify: true,
    });
  });

  test.each([
    ["dir", { dir: "sideways" }],
    ["actions that are no list", { actions: "reply" }],
    ["an action without a title", { actions: [{ action: "reply" }, null, 3] }],
    ["vibrate", { vibrate: "long" }],
    ["silent", { silent: "yes" }],
    ["timestamp", { timestamp: "today" }],
    ["tag", { tag: { a: 1 } }],
  ])("a wrong type in %s is left out, the rest is shown", async (_name, extra) => {
    const { options } = await shown({ title: "Hi", body: "there", ...extra });
    expect(Object.keys(options).sort()).toEqual(["badge", "body", "data", "icon"]);
  });

  test("actions keep their buttons; where they lead goes into data", async () => {
    const { options } = await shown({
      web_push: 8030,
      notification: {
        title: "Hi",
        navigate: scope,
        actions: [{ action: "reply", title: "Reply", navigate: "/app/reply", secret: 1 }],
      },
    });
    expect(options["actions"]).toEqual([{ action: "reply", title: "Reply", icon: undefined }]);
    expect(options.data).toEqual({ url: scope, actionUrls: { reply: "/app/reply" } });
  });

  test("JSON cannot reach a prototype", async () => {
    const payload = `{"title":"Hi","__proto__":{"polluted":1},"data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"actions":[{"action":"__proto__","title":"x","navigate":"/p"}]}`;
    const { title, options } = await shown(payload);
    expect(title).toBe("Hi");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(options.data)).not.toHaveProperty("polluted");
  });

  test("when the browser refuses the options, a plain notification is shown", async () => {
    const worker = startWorker({
      onShow(_title, options) {
        if ("icon" in options) throw new TypeError("this browser dislikes icons");
      },
    });
    await worker.push({ title: "Hi", body: "there", url: "/x" });
    expect(worker.notifications[0]).toMatchObject({
      title: "Hi",
      options: { body: "there", data: { url: "/x" } },
    });
  });

  test("when nothing can be shown at all, the push still ends quietly and says so to the server", async () => {
    const worker = startWorker({
      memory: server,
      onShow() {
        throw new TypeError("no permission");
      },
    });
    await worker.push({ title: "Hi", data: { id: 1 } });
    expect(worker.notifications).toEqual([]);
    expect(worker.requests.map(({ body }) => body["type"])).toEqual(["received", "error"]);
  });
});

describe("a push delivered twice", () => {
  test("has its id for a tag, so that it replaces itself", async () => {
    const worker = startWorker();
    await worker.push({ title: "First", data: { id: "m1" } });
    await worker.push({ title: "Again", data: { id: "m1" } });
    expect(worker.notifications.map(({ title }) => title)).toEqual(["Again"]);
  });

  test("is tidied up by the worker where a tag does not replace", async () => {
    const worker = startWorker({ collapses: false });
    await worker.push({ title: "First", data: { id: "m1" } });
    await worker.push({ title: "Other", data: { id: "m2" } });
    await worker.push({ title: "Again", data: { id: "m1" } });
    expect(worker.notifications.map(({ title }) => title)).toEqual(["Other", "Again"]);
  });
});

describe("around the notification", () => {
  test("nothing is fetched before it is shown", async () => {
    const worker = startWorker({ memory: server });
    await worker.push("Hello");
    expect(worker.journal).toEqual(["show", "fetch", "fetch"]);
  });

  test("beacons tell the server: received, then shown, with the id", async () => {
    const worker = startWorker({ memory: server });
    await worker.push({ title: "Hi", data: { id: "m1" } });
    expect(worker.requests).toEqual([
      { url: "/webpush/events", body: { type: "received", id: "m1", at: expect.any(Number) as number } },
      {
        url: "/webpush/events",
        body: { type: "shown", id: "m1", at: expect.any(Number) as number, title: "Hi" },
      },
    ]);
  });

  test("a beacon that fails is nobody's business", async () => {
    const worker = startWorker({
      memory: server,
      onFetch() {
        throw new TypeError("Failed to fetch");
      },
    });
    await worker.push("Hello");
    await worker.click({});
    expect(worker.notifications).toHaveLength(1);
  });

  test.each([
    ["the page has left no settings", undefined],
    ["there is no server", { server: null }],
  ])("no beacon is sent when %s", async (_name, memory) => {
    const worker = startWorker(memory ? { memory } : {});
    await worker.push("Hello");
    expect(worker.requests).toEqual([]);
  });

  test("open pages are told", async () => {
    const worker = startWorker({ windows: [fakeWindow(scope)] });
    await worker.push({ title: "Hi", body: "there", data: { id: "m1" } });
    expect(worker.windows[0]?.messages).toEqual([
      { source: "webpush", type: "push", id: "m1", title: "Hi", body: "there", shown: true },
    ]);
  });

  test.each([
    ["a number at the top", { app_badge: 3, notification: { title: "a" } }, 3],
    ["digits inside the notification", { notification: { title: "a", app_badge: "12" } }, 12],
    ["0, which takes it away", { app_badge: 0, title: "a" }, 0],
  ])("the app's badge is set: %s", async (_name, payload, count) => {
    const setAppBadge = vi.fn(() => Promise.resolve());
    await startWorker({ setAppBadge }).push(payload);
    expect(setAppBadge).toHaveBeenCalledExactlyOnceWith(count);
  });

  test.each([-1, "three", 1.5, {}, null])("a badge of %j is ignored", async (app_badge) => {
    const setAppBadge = vi.fn(() => Promise.resolve());
    await startWorker({ setAppBadge }).push({ title: "a", app_badge });
    expect(setAppBadge).not.toHaveBeenCalled();
  });

  test("a badge that cannot be set does not spoil the push", async () => {
    const worker = startWorker({ setAppBadge: () => Promise.reject(new Error("not here")) });
    await worker.push({ title: "a", app_badge: 1 });
    expect(worker.notifications).toHaveLength(1);
  });

  test("closing one is reported", async () => {
    const worker = startWorker({ memory: server });
    await worker.dispatch("notificationclose", { notification: { data: { id: "m1" } } });
    expect(worker.requests[0]?.body).toMatchObject({ type: "closed", id: "m1" });
  });
});

describe("a click", () => {
  test("closes the notification and focuses a window that shows the address already", async () => {
    const there = fakeWindow(`${scope}threads/7`);
    const worker = startWorker({ windows: [fakeWindow(scope), there] });
    const notification = await worker.click({ url: "threads/7" });
    expect(notification.closed).toBe(true);
    expect(there.calls).toEqual(["focus"]);
    expect(worker.opened).toEqual([]);
  });

  test("takes another window of the app there, before it opens a new one", async () => {
    const elsewhere = fakeWindow(`${origin}/other/`);
    const app = fakeWindow(scope);
    const worker = startWorker({ windows: [elsewhere, app] });
    await worker.click({ url: "/app/threads/7" });
    expect(app.calls).toEqual([`navigate ${scope}threads/7`, "focus"]);
    expect(elsewhere.calls).toEqual([]);
    expect(worker.opened).toEqual([]);
  });

  test("opens a window when the open one is not the worker's to move", async () => {
    const app = fakeWindow(scope, { controlled: false });
    const worker = startWorker({ windows: [app] });
    await worker.click({ url: "/app/x" });
    expect(app.calls).toEqual([]);
    expect(worker.opened).toEqual([`${scope}x`]);
  });

  test("opens a window when there is none", async () => {
    const worker = startWorker();
    await worker.click({ url: "/app/x" });
    expect(worker.opened).toEqual([`${scope}x`]);
  });

  test("on a button goes where the button leads, else where the notification does", async () => {
    const worker = startWorker();
    const data = { url: "/app/a", actionUrls: { reply: "/app/b" } };
    await worker.click(data, "reply");
    await worker.click(data, "unknown");
    await worker.click(data, "constructor");
    await worker.click(data);
    expect(worker.opened).toEqual([`${scope}b`, `${scope}a`, `${scope}a`, `${scope}a`]);
  });

  test.each([
    ["another site", "https://evil.example/app/"],
    ["another site without a protocol", "//evil.example/app/"],
    ["another port", "https://harbour.example:8443/app/"],
    ["plain http", "http://harbour.example/app/"],
    ["javascript", "javascript:alert(1)"],
    ["a blob of this origin", `blob:${origin}/6b1c`],
    ["data", "data:text/html,hi"],
    ["backslashes", String.raw`\\evil.example\app`],
    ["what is no URL", "https://"],
    ["an object", { href: "https://evil.example" }],
    ["nothing", undefined],
  ])("never leads to %s: the app itself is opened", async (_name, url) => {
    const worker = startWorker();
    await worker.click({ url });
    expect(worker.opened).toEqual([scope]);
  });

  test("on a notification without data opens the app", async () => {
    const worker = startWorker();
    await worker.click(null);
    expect(worker.opened).toEqual([scope]);
  });

  test("is reported, even when no window may be opened", async () => {
    const worker = startWorker({
      memory: server,
      onOpen() {
        throw new DOMException("Not allowed to open a window", "InvalidAccessError");
      },
    });
    await worker.click({ id: "m1" });
    expect(worker.requests[0]?.body).toMatchObject({ type: "clicked", id: "m1" });
  });
});

describe("pushsubscriptionchange", () => {
  const key = new Uint8Array([4, 251, 255]).buffer;

  test("subscribes anew with the old key and tells the server both endpoints", async () => {
    const onSubscribe = vi.fn(() => fakeSubscription("https://push.example/new"));
    const worker = startWorker({ memory: { ...server, wanted: true }, onSubscribe });
    await worker.dispatch("pushsubscriptionchange", {
      oldSubscription: fakeSubscription("https://push.example/old", key),
    });
    expect(onSubscribe).toHaveBeenCalledWith({ userVisibleOnly: true, applicationServerKey: key });
    expect(worker.requests).toEqual([
      {
        url: "/webpush/subscriptions",
        body: {
          endpoint: "https://push.example/new",
          expirationTime: null,
          keys: { p256dh: "p", auth: "a" },
          applicationServerKey: "BPv_",
          oldEndpoint: "https://push.example/old",
        },
      },
    ]);
    expect(worker.memory()).toMatchObject({ endpoint: "https://push.example/new", wanted: true });
  });

  test("uses what the page remembered when the browser says nothing (Chromium, permission given back)", async () => {
    const onSubscribe = vi.fn(() => fakeSubscription("https://push.example/new"));
    const memory = { ...server, wanted: true, publicKey: "BKey", endpoint: "https://push.example/old" };
    const worker = startWorker({ memory, onSubscribe });
    await worker.dispatch("pushsubscriptionchange", { oldSubscription: null, newSubscription: null });
    expect(onSubscribe).toHaveBeenCalledWith({ userVisibleOnly: true, applicationServerKey: "BKey" });
    expect(worker.requests[0]?.body).toMatchObject({
      applicationServerKey: "BKey",
      oldEndpoint: "https://push.example/old",
    });
  });

  test("takes the new subscription when the browser has made one", async () => {
    const worker = startWorker({ memory: server });
    await worker.dispatch("pushsubscriptionchange", {
      oldSubscription: fakeSubscription("https://push.example/old", key),
      newSubscription: fakeSubscription("https://push.example/new", key),
    });
    expect(worker.requests[0]?.body).toMatchObject({ endpoint: "https://push.example/new" });
  });

  test("does nothing when the visitor has turned notifications off", async () => {
    const onSubscribe = vi.fn(() => fakeSubscription("https://push.example/new"));
    const worker = startWorker({ memory: { ...server, wanted: false }, onSubscribe });
    await worker.dispatch("pushsubscriptionchange", {});
    expect(onSubscribe).not.toHaveBeenCalled();
  });

  test("leaves the old endpoint in memory while the server is down, for the page to send", async () => {
    const worker = startWorker({
      memory: { ...server, endpoint: "https://push.example/old", publicKey: "BKey" },
      onSubscribe: () => fakeSubscription("https://push.example/new"),
      onFetch: () => ({ ok: false }),
    });
    await worker.dispatch("pushsubscriptionchange", {});
    expect(worker.memory()).toMatchObject({ endpoint: "https://push.example/old" });
  });

  test("ends quietly when it may not subscribe", async () => {
    const worker = startWorker({ memory: server });
    await worker.dispatch("pushsubscriptionchange", {});
    expect(worker.requests).toEqual([]);
  });
});

test("installing takes over at once", async () => {
  const worker = startWorker();
  await worker.dispatch("activate");
});
