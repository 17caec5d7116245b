/** Pages and workers as they are found in the wild: what is said of them, and what must not be. */
import { describe, expect, test } from "vitest";
import { changed, complaints, factsOf, plainPage, type Files } from "./support.ts";

const ownHandler = `self.addEventListener("push", (event) => {
  event.waitUntil(show(event));
});`;

function withHandler(text: string, more: Files = {}): Files {
  return { ...changed("sw.js", ownHandler, text), ...more };
}

/** What is said of the worker's push handler alone. */
async function saysOf(page: Files): Promise<readonly string[]> {
  const all = await complaints(factsOf(page));
  return all.filter((line) => /page\.worker\.(?:shows|wait|payload|network)/.test(line));
}

describe("push handlers that are right, and must not be called wrong", () => {
  test.each([
    [
      "a named function and a default",
      `self.addEventListener("push", onPush);
       function onPush(event) {
         const text = event.data ? event.data.text() : "no payload";
         event.waitUntil(self.registration.showNotification("Bakery", { body: text }));
       }`,
    ],
    [
      "nothing is shown only where nothing may be",
      `self.addEventListener("push", (event) => {
         if (!(self.Notification && self.Notification.permission === "granted")) return;
         event.waitUntil(self.registration.showNotification("Bakery"));
       });`,
    ],
    [
      "both branches show",
      `self.addEventListener("push", (event) => {
         if (event.data) event.waitUntil(self.registration.showNotification("a", { body: event.data.text() }));
         else event.waitUntil(self.registration.showNotification("b"));
       });`,
    ],
    [
      "the catch shows too",
      `self.addEventListener("push", (event) => {
         let shown;
         try { shown = self.registration.showNotification(event.data.json().title); }
         catch { shown = self.registration.showNotification("News"); }
         event.waitUntil(shown);
       });`,
    ],
    [
      "showing and telling the server side by side",
      `self.addEventListener("push", (event) => {
         event.waitUntil(Promise.all([
           fetch("/seen", { method: "POST" }),
           self.registration.showNotification("News"),
         ]));
       });`,
    ],
    [
      "two jobs for waitUntil",
      `self.addEventListener("push", (event) => {
         event.waitUntil(fetch("/seen").then((response) => response.text()));
         event.waitUntil(self.registration.showNotification("News"));
       });`,
    ],
    [
      "a beacon that is not waited for",
      `self.addEventListener("push", (event) => event.waitUntil(handle()));
       async function report() { await fetch("/seen"); }
       async function handle() {
         report();
         await self.registration.showNotification("News");
         await report();
       }`,
    ],
    [
      "an object of handlers",
      `const pushes = { show(event) { return self.registration.showNotification("News"); } };
       self.onpush = (event) => event.waitUntil(pushes.show(event));`,
    ],
    [
      "a class",
      `class Pushes { show() { return this.really(); } really() { return self.registration.showNotification("News"); } }
       const pushes = new Pushes();
       self.onpush = (event) => event.waitUntil(pushes.show());`,
    ],
    [
      "a switch with a default",
      `self.onpush = (event) => {
         let title;
         switch (event.data?.text()) { case "a": title = "A"; break; default: title = "News"; }
         event.waitUntil(self.registration.showNotification(title));
       };`,
    ],
    [
      "a finally",
      `self.onpush = (event) => event.waitUntil((async () => {
         let title = "News";
         try { title = JSON.parse(event.data.text()).title; } catch {} finally { await registration.showNotification(title); }
       })());`,
    ],
    [
      "a promise chain that catches first",
      `self.onpush = (event) => event.waitUntil(
         Promise.resolve().then(() => event.data.json()).catch(() => ({}))
           .then(({ title = "News" }) => self.registration.showNotification(title)));`,
    ],
    [
      "minified",
      `self.addEventListener("push",e=>{let t={};try{t=e.data.json()}catch(a){}e.waitUntil(self.registration.showNotification(t.title||"x",t))});`,
    ],
    [
      "minified, with names that mean something else in each function",
      `(function(){self.addEventListener("push",t=>t.waitUntil(e(t)));async function e(e){let n=t(e);await self.registration.showNotification(n)}function t(e){let t="x";try{t=n(e).title}catch{}return t}function n(e){return e.data.json()}})();`,
    ],
  ])("%s", async (_name, text) => {
    expect(await saysOf(withHandler(text))).toEqual([]);
  });

  test("in a file that the worker imports", async () => {
    const parts = { "push.js": ownHandler };
    expect(await saysOf(withHandler(`importScripts("push.js");`, parts))).toEqual([]);
    const modules = {
      "lib/push.js": `export { show as display }; async function show() { await registration.showNotification("x"); }`,
    };
    const main = `import { display } from "./lib/push.js"; self.onpush = (event) => event.waitUntil(display(event));`;
    expect(await saysOf(withHandler(main, modules))).toEqual([]);
  });
});

describe("where nobody can tell, it says so and does not guess", () => {
  test.each([
    [
      "a library",
      `importScripts("https://cdn.example/sdk.js"); self.onpush = (event) => event.waitUntil(sdk.handle(event));`,
    ],
    [
      "a package",
      `import { display } from "push-kit"; self.onpush = (event) => event.waitUntil(display(event));`,
    ],
    ["a table of functions", `self.onpush = (event) => event.waitUntil(handlers[event.data.text()](event));`],
    [
      "a list that may be empty",
      `self.onpush = (event) => event.waitUntil(Promise.all(event.data.text().split(",").map((one) => self.registration.showNotification(one))));`,
    ],
    ["a handler from elsewhere", `import { onPush } from "push-kit"; self.addEventListener("push", onPush);`],
  ])("%s", async (_name, text) => {
    const said = await saysOf(withHandler(text));
    expect(said.map((line) => line.split(" ")[0])).toEqual(["skipped"]);
  });
});

test("the worker of a well-known tutorial: JSON alone, any address, nothing renewed", async () => {
  const worker = `self.addEventListener('push', function(event) {
  console.log('[Service Worker] Push Received.');
  var payload = event.data.json();
  const promiseChain = self.registration.showNotification(payload.title, { body: payload.body, data: payload.url });
  event.waitUntil(promiseChain);
});

self.addEventListener('notificationclick', function(event) {
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data));
});`;
  expect(await complaints(factsOf({ ...plainPage, "sw.js": worker }))).toEqual([
    "warning page.worker.payload public/sw.js:3 a payload that is no JSON, or empty, throws here and shows nothing",
    "warning page.worker.click-origin public/sw.js:10 a press opens any address that a push names",
    "warning page.worker.change public/sw.js replaced subscriptions are lost: no pushsubscriptionchange listener",
  ]);
});

test("the page of a well-known tutorial: asks at once, keeps its errors to itself", async () => {
  const page = `<!doctype html><body onload="init()"><script>
const publicVapidKey = "<YOUR PUBLIC KEY HERE>";
if ("serviceWorker" in navigator) send().catch(err => {});
async function send() {
  const register = await navigator.serviceWorker.register("./sw.js", { scope: "/" });
  const subscription = await register.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: urlBase64ToUint8Array(publicVapidKey)
  });
  await fetch("/subscribe", { method: "POST", body: JSON.stringify(subscription) });
}
</script>`;
  expect(await complaints(factsOf({ "index.html": page, "sw.js": plainPage["sw.js"] ?? "" }))).toEqual([
    "warning page.permission.press public/index.html:6 asks for permission while the page loads: subscribe()",
    "warning page.subscribe.resync public/index.html:6 the page never looks whether its subscription is still there",
    "note page.subscribe.key-change public/index.html:6 after a change of keys this page cannot subscribe",
    "note page.subscribe.sends-key public/index.html:6 the server is not told which key a subscription was made with",
    "note page.unsubscribe.server - notifications cannot be turned off on the page",
    "problem page.subscribe.key public/index.html:2 there is still a placeholder in the place of the key",
    "warning page.manifest.linked - no page links a manifest: no push on iPhone and iPad",
    "note page.manifest.apple-icon - no apple-touch-icon; iOS takes an icon of the manifest",
  ]);
});

describe("asking for permission", () => {
  const button = `document.getElementById("on").addEventListener("click", turnOn);`;
  test.each([
    ["onclick in the script", `document.getElementById("on").onclick = turnOn;`],
    ["jQuery", `$("#on").on("click", turnOn); $("#on").click(() => turnOn());`],
    [
      "a listener made when the page has loaded",
      `addEventListener("load", () => on.addEventListener("click", () => turnOn()));`,
    ],
    ["again without asking, where it was granted", `if (Notification.permission === "granted") turnOn();`],
    ["a file's own requestPermission", `handle.requestPermission({ mode: "read" }); ${button}`],
    ["an observable's subscribe", `stream.subscribe(() => {}); ${button}`],
  ])("fine: %s", async (_name, text) => {
    expect(await complaints(factsOf(changed("app.js", button, text)))).toEqual([]);
  });

  test.each([
    ["a timer", "setTimeout(turnOn, 5000);"],
    ["an effect of a component", "useEffect(() => { turnOn(); }, []);"],
    ["a function that runs at once", "(async () => { await turnOn(); })();"],
    ["jQuery's ready", "$(document).ready(function () { turnOn(); });"],
  ])("out of the blue: %s", async (_name, text) => {
    expect(await complaints(factsOf(changed("app.js", button, text)))).toEqual([
      "warning page.permission.press public/app.js:15 asks for permission while the page loads: subscribe()",
    ]);
  });
});

describe("finding the worker", () => {
  const register = `navigator.serviceWorker.register("/sw.js")`;
  test.each([
    ["a constant", `const worker = "/sw.js"; navigator.serviceWorker.register(worker)`],
    ["a template", "navigator.serviceWorker.register(`/sw.js`)"],
    ["an address beside the script", `navigator.serviceWorker.register(new URL("./sw.js", import.meta.url))`],
    ["a setting", `const settings = { worker: "sw.js" }; navigator.serviceWorker.register(settings.worker)`],
    ["a parameter", `function start(url) { return navigator.serviceWorker.register(url); } start("sw.js")`],
    ["a part of the address", `const base = "/"; navigator.serviceWorker.register(base + "sw.js")`],
    ["workbox-window", `new Workbox("/sw.js").register()`],
  ])("%s", async (_name, text) => {
    const page = changed(
      "index.html",
      "<script src",
      "<script type=module src",
      changed("app.js", register, text),
    );
    expect(await complaints(factsOf(page))).toEqual([]);
  });

  test("an inline script, and a page in a folder", async () => {
    const html = `<link rel=manifest href=../manifest.json><link rel=apple-touch-icon href=/icon-192.png>
<script src="../app.js"></script><script>navigator.serviceWorker.register("../sw.js")</script>`;
    const { "sw.js": worker = "", "app.js": app = "", ...rest } = changed("app.js", register, "");
    const pictures = Object.entries(rest).filter(([path]) => path !== "index.html");
    const page = { ...Object.fromEntries(pictures), "sw.js": worker, "app.js": app, "app/index.html": html };
    expect(await complaints(factsOf(page))).toEqual([]);
  });
});
