/** Every check of a page, with pages that it finds something in: exactly that, and nothing else. */
import { describe, expect, test } from "vitest";
import { pageChecks } from "../../../src/doctor/page-checks.ts";
import type { FolderFiles, PageFacts } from "../../../src/doctor/page/facts.ts";
import {
  changed,
  complaints,
  examine,
  factsOf,
  lacking,
  otherKey,
  plainPage,
  projectKey,
  projectKeys,
  projectPrivateKey,
  type Files,
} from "./support.ts";

interface Case {
  readonly name: string;
  readonly page: Files;
  readonly folder?: Partial<FolderFiles>;
  readonly keys?: PageFacts["keys"];
  /** Whole lines of `complaints`. */
  readonly finds: readonly string[];
}

const handler = `self.addEventListener("push", (event) => {
  event.waitUntil(show(event));
});`;

function withHandler(text: string): Files {
  return changed("sw.js", handler, text);
}

const cases: Readonly<Record<string, readonly Case[]>> = {
  "page.files": [
    {
      name: "TypeScript",
      page: { ...plainPage, "src/push.ts": "navigator.serviceWorker.register(url as string)" },
      finds: ["skipped page.files public/src/push.ts not read: it is not plain JavaScript"],
    },
    {
      name: "JavaScript with a mistake in it",
      page: { ...plainPage, "old.js": "self.addEventListener('push', (event) => {" },
      finds: ["skipped page.files public/old.js not read: Unexpected token (1:42)"],
    },
  ],
  "page.worker.registered": [
    {
      name: "the file is somewhere else",
      page: changed("app.js", "/sw.js", "/worker/sw.js"),
      finds: [
        "problem page.worker.registered public/app.js:2 the registered worker is not there: public/worker/sw.js",
      ],
    },
    {
      name: "nobody registers it",
      page: changed("app.js", `navigator.serviceWorker.register("/sw.js");`, ""),
      finds: ["problem page.worker.registered public/sw.js no page registers the worker"],
    },
    {
      name: "there is none",
      page: { "index.html": "<p>Hello" },
      finds: [
        "problem page.worker.registered - no page registers a service worker",
        "warning page.manifest.linked - no page links a manifest: no push on iPhone and iPad",
        "note page.manifest.apple-icon - no apple-touch-icon; iOS takes an icon of the manifest",
      ],
    },
    {
      name: "its name is made up at run time",
      page: changed("app.js", `register("/sw.js")`, "register(await nameOfWorker())"),
      finds: [
        "skipped page.worker.registered public/app.js:2 which file is registered is computed, and cannot be read off",
      ],
    },
  ],
  "page.worker.push-listener": [
    {
      name: "no listener",
      page: withHandler(""),
      finds: ["problem page.worker.push-listener public/sw.js the worker does not listen for pushes"],
    },
    {
      name: "perhaps in a library of somebody else's",
      page: withHandler(`importScripts("https://cdn.example/push.js");`),
      finds: [
        "skipped page.worker.push-listener public/sw.js no push listener here; https://cdn.example/push.js may have one",
        "note page.worker.update public/app.js:2 what the worker imports may come out of the HTTP cache",
      ],
    },
  ],
  "page.worker.scope": [
    {
      name: "in a folder below the page",
      page: {
        ...changed("app.js", "/sw.js", "/js/sw.js", lacking("sw.js")),
        "js/sw.js": plainPage["sw.js"] ?? "",
      },
      finds: [
        "problem page.worker.scope public/app.js:2 index.html lies outside of the worker's scope /js/, and waits for serviceWorker.ready for ever",
      ],
    },
    {
      name: "wants more than its folder",
      page: {
        ...changed("app.js", `"/sw.js"`, `"/js/sw.js", { scope: "/" }`, lacking("sw.js")),
        "js/sw.js": plainPage["sw.js"] ?? "",
      },
      finds: [
        "warning page.worker.scope public/app.js:2 the scope / reaches beyond the worker's folder /js/",
      ],
    },
  ],
  "page.worker.address": [
    {
      name: "a hash in its name",
      page: {
        ...changed("app.js", "/sw.js", "/sw.3f9a1c2b.js", lacking("sw.js")),
        "sw.3f9a1c2b.js": plainPage["sw.js"] ?? "",
      },
      finds: [
        "warning page.worker.address public/app.js:2 the worker's address has a version in it: /sw.3f9a1c2b.js",
      ],
    },
    {
      name: "a version in its query",
      page: changed("app.js", `"/sw.js"`, "`/sw.js?v=${version}`"),
      finds: [
        "warning page.worker.address public/app.js:2 the worker's address has a version in it: /sw.js?v=…",
      ],
    },
  ],
  "page.worker.update": [
    {
      name: "imports something",
      page: { ...withHandler(`importScripts("push.js");`), "push.js": handler },
      finds: [
        "note page.worker.update public/app.js:2 what the worker imports may come out of the HTTP cache",
      ],
    },
  ],
  "page.worker.policy": [
    {
      name: "forbids everything that it does not name",
      page: changed("index.html", "default-src 'self'", "default-src 'none'; script-src 'nonce-1'"),
      finds: [
        "problem page.worker.policy public/index.html:2 the policy forbids the service worker: script-src 'nonce-1'",
      ],
    },
  ],
  "page.worker.shows": [
    {
      name: "never",
      page: withHandler(`self.addEventListener("push", (event) => { console.log(event.data.text()); });`),
      finds: ["problem page.worker.shows public/sw.js:1 the push handler never shows a notification"],
    },
    {
      name: "only when there is a payload",
      page: withHandler(`self.addEventListener("push", (event) => {
  if (!event.data) return;
  event.waitUntil(show(event));
});`),
      finds: ["warning page.worker.shows public/sw.js:2 on this path a push shows nothing"],
    },
    {
      name: "not when it cannot be parsed",
      page: withHandler(`self.addEventListener("push", (event) => {
  try {
    const { title } = event.data.json();
    event.waitUntil(self.registration.showNotification(title));
  } catch (error) {
    console.error(error);
  }
});`),
      finds: ["warning page.worker.shows public/sw.js:5 on this path a push shows nothing"],
    },
    {
      name: "only for some kinds of push",
      page: withHandler(`self.onpush = (event) => {
  switch (event.data?.text()) {
    case "news":
      event.waitUntil(self.registration.showNotification("News"));
      break;
    case "mail":
      event.waitUntil(self.registration.showNotification("Mail"));
  }
};`),
      finds: ["warning page.worker.shows public/sw.js:2 on this path a push shows nothing"],
    },
  ],
  "page.worker.wait-until": [
    {
      name: "not at all",
      page: withHandler(`self.addEventListener("push", (event) => { show(event); });`),
      finds: [
        "warning page.worker.wait-until public/sw.js:1 the push handler does not call event.waitUntil()",
      ],
    },
    {
      name: "after an await",
      page: withHandler(`self.addEventListener("push", async (event) => {
  await self.clients.claim();
  event.waitUntil(show(event));
});`),
      finds: [
        "problem page.worker.wait-until public/sw.js:3 event.waitUntil() is called too late: the event is over by then",
      ],
    },
    {
      name: "a promise that is not returned",
      page: withHandler(`self.addEventListener("push", (event) => {
  event.waitUntil(
    self.clients.matchAll().then(() => {
      self.registration.showNotification("News");
    }),
  );
});`),
      finds: ["warning page.worker.wait-until public/sw.js:4 nobody waits for this showNotification()"],
    },
  ],
  "page.worker.payload": [
    {
      name: "JSON alone",
      page: withHandler(`self.addEventListener("push", function (event) {
  var data = event.data.json();
  event.waitUntil(self.registration.showNotification(data.title, { body: data.body }));
});`),
      finds: [
        "warning page.worker.payload public/sw.js:2 a payload that is no JSON, or empty, throws here and shows nothing",
      ],
    },
  ],
  "page.worker.network": [
    {
      name: "fetches what it shows",
      page: withHandler(`self.addEventListener("push", (event) => {
  event.waitUntil(
    fetch("/latest")
      .then((response) => response.json())
      .then(({ title }) => self.registration.showNotification(title)),
  );
});`),
      finds: [
        "warning page.worker.network public/sw.js:3 the notification waits for the network, and does not come when the request fails",
      ],
    },
    {
      name: "shows something else when that fails, in the end",
      page: withHandler(`self.addEventListener("push", (event) => event.waitUntil(latest()));
async function latest() {
  let title = "News";
  try {
    const response = await fetch("/latest");
    title = await response.text();
  } catch {
    // offline
  }
  await self.registration.showNotification(title);
}`),
      finds: ["warning page.worker.network public/sw.js:5 the notification waits for the network"],
    },
  ],
  "page.worker.click": [
    {
      name: "no listener",
      page: changed("sw.js", `"notificationclick"`, `"notificationclose"`),
      finds: ["warning page.worker.click public/sw.js a press does nothing: no notificationclick listener"],
    },
    {
      name: "stays open",
      page: changed("sw.js", "event.notification.close();", ""),
      finds: [
        "warning page.worker.click public/sw.js:15 a pressed notification is not closed, and stays on Android",
      ],
    },
    {
      name: "does not wait",
      page: changed("sw.js", `event.waitUntil(clients.openWindow("/news"))`, `clients.openWindow("/news")`),
      finds: ["warning page.worker.click public/sw.js:15 the browser does not wait until the window is open"],
    },
    {
      name: "only closes",
      page: changed("sw.js", `event.waitUntil(clients.openWindow("/news"));`, ""),
      finds: ["note page.worker.click public/sw.js:15 a press opens nothing"],
    },
  ],
  "page.worker.click-origin": [
    {
      name: "any address",
      page: changed("sw.js", `openWindow("/news")`, "openWindow(event.notification.data.url)"),
      finds: ["warning page.worker.click-origin public/sw.js:17 a press opens any address that a push names"],
    },
  ],
  "page.worker.change": [
    {
      name: "no listener",
      page: changed("sw.js", `"pushsubscriptionchange"`, `"message"`),
      finds: [
        "warning page.worker.change public/sw.js replaced subscriptions are lost: no pushsubscriptionchange listener",
      ],
    },
    {
      name: "the server is not told",
      page: changed(
        "sw.js",
        `fetch("/api/renew", { method: "POST", body: event.oldSubscription.endpoint })`,
        `self.registration.pushManager.subscribe(event.oldSubscription.options)`,
      ),
      finds: ["warning page.worker.change public/sw.js:20 a replaced subscription is not sent to the server"],
    },
  ],
  "page.subscribe.called": [
    {
      name: "nowhere",
      page: changed("app.js", "registration.pushManager.subscribe(options)", "nothing()"),
      finds: ["problem page.subscribe.called - no page calls pushManager.subscribe()"],
    },
    {
      name: "perhaps in a script from elsewhere",
      page: changed(
        "index.html",
        `<script src="app.js"></script>`,
        `<script src="app.js"></script><script src="https://cdn.example/app.js"></script>`,
        changed("app.js", "registration.pushManager.subscribe(options)", "nothing()"),
      ),
      finds: [
        "skipped page.subscribe.called - no pushManager.subscribe() seen; https://cdn.example/app.js is not in the folder",
      ],
    },
  ],
  "page.permission.press": [
    {
      name: "at once",
      page: changed(
        "app.js",
        "navigator.serviceWorker.register",
        "Notification.requestPermission();\nnavigator.serviceWorker.register",
      ),
      finds: [
        "warning page.permission.press public/app.js:2 asks for permission while the page loads: requestPermission()",
      ],
    },
    {
      name: "when it has loaded, by subscribing",
      page: changed(
        "app.js",
        `getElementById("on").addEventListener("click", turnOn)`,
        `addEventListener("DOMContentLoaded", () => turnOn())`,
      ),
      finds: [
        "warning page.permission.press public/app.js:15 asks for permission while the page loads: subscribe()",
      ],
    },
    {
      name: "as soon as the worker is ready",
      page: changed(
        "app.js",
        `document.getElementById("on").addEventListener("click", turnOn);`,
        `window.onload = () => navigator.serviceWorker.ready.then(turnOn);`,
      ),
      finds: [
        "warning page.permission.press public/app.js:15 asks for permission while the page loads: subscribe()",
      ],
    },
  ],
  "page.subscribe.visible": [
    {
      name: "left out",
      page: changed("app.js", "userVisibleOnly: true, ", ""),
      finds: ["problem page.subscribe.visible public/app.js:15 userVisibleOnly is missing"],
    },
    {
      name: "false",
      page: changed("app.js", "userVisibleOnly: true", "userVisibleOnly: false"),
      finds: ["problem page.subscribe.visible public/app.js:15 userVisibleOnly is not true"],
    },
  ],
  "page.subscribe.resync": [
    {
      name: "never looks again",
      page: changed("app.js", "registration.pushManager.getSubscription()", "window.subscription"),
      finds: [
        "warning page.subscribe.resync public/app.js:15 the page never looks whether its subscription is still there",
      ],
    },
  ],
  "page.subscribe.key-change": [
    {
      name: "stays with its first key",
      page: changed("app.js", "await subscription.unsubscribe();", ""),
      finds: [
        "note page.subscribe.key-change public/app.js:15 after a change of keys this page cannot subscribe",
        "note page.unsubscribe.server - notifications cannot be turned off on the page",
      ],
    },
  ],
  "page.subscribe.errors": [
    {
      name: "an empty catch",
      page: changed("app.js", "alert(error.message);", ""),
      finds: ["warning page.subscribe.errors public/app.js:16 an error of subscribe() is thrown away here"],
    },
    {
      name: "a promise that swallows",
      page: changed(
        "app.js",
        "await tell(await registration.pushManager.subscribe(options));",
        "registration.pushManager.subscribe(options).then(tell).catch(() => {});",
      ),
      finds: ["warning page.subscribe.errors public/app.js:15 an error of subscribe() is thrown away here"],
    },
  ],
  "page.subscribe.sends-key": [
    {
      name: "the subscription alone",
      page: changed("app.js", "{ ...subscription.toJSON(), applicationServerKey: key }", "subscription"),
      finds: [
        "note page.subscribe.sends-key public/app.js:15 the server is not told which key a subscription was made with",
      ],
    },
  ],
  "page.unsubscribe.server": [
    {
      name: "the server goes on sending",
      page: changed("app.js", `await fetch("/api/subscriptions", { method: "DELETE" });`, ""),
      finds: [
        "warning page.unsubscribe.server public/app.js:24 somebody who unsubscribes stays on the server's list",
      ],
    },
  ],
  "page.subscribe.key": [
    {
      name: "of somebody else",
      page: changed("app.js", projectKey, otherKey),
      finds: [
        "problem page.subscribe.key public/app.js:1 the page subscribes with BA1Hxzyi1RUM…, which is no key of this project: pushes will be refused",
      ],
    },
    {
      name: "an older one of the project",
      page: changed("app.js", projectKey, otherKey),
      keys: { ...projectKeys, all: [projectKey, otherKey] },
      finds: [
        "warning page.subscribe.key public/app.js:1 the page still subscribes with an older key of this project, BA1Hxzyi1RUM…",
      ],
    },
    {
      name: "not to be compared with any",
      page: plainPage,
      keys: { current: undefined, all: [], privateKeys: [] },
      finds: [
        "skipped page.subscribe.key public/app.js:1 the page subscribes with BP4z9KsN6nGR…; this project has no keys to compare it with",
      ],
    },
    {
      name: "a placeholder",
      page: changed(
        "app.js",
        `const key = "${projectKey}"`,
        `const vapidPublicKey = "YOUR_PUBLIC_KEY", key = decode(vapidPublicKey)`,
      ),
      finds: [
        "problem page.subscribe.key public/app.js:1 there is still a placeholder in the place of the key",
      ],
    },
    {
      name: "with a letter changed",
      page: changed("app.js", "BP4z9KsN6nGR", "BP4z9KsN6nGS"),
      finds: [
        "problem page.subscribe.key public/app.js:1 the key is no point of the curve P-256: a letter of it is wrong",
      ],
    },
    {
      name: "as openssl writes it",
      page: changed(
        "app.js",
        projectKey,
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/jP0qw3qcZFNtVgj9ztUlI9BMG2SBzLbuaWaUyhkgiAOWXp7e8JguhwieZhYCZLpOXMALzASooro8Gu7eOXsDw",
      ),
      finds: [
        "problem page.subscribe.key public/app.js:1 the key is in PEM's form, which browsers do not take",
        "problem page.subscribe.key-form public/app.js:15 the key is a string of ordinary base64",
      ],
    },
    {
      name: "none",
      page: changed("app.js", "applicationServerKey: key };", "};"),
      finds: ["problem page.subscribe.key public/app.js:15 subscribes without a key"],
    },
    {
      name: "asked from the server",
      page: changed("app.js", `"${projectKey}"`, `await (await fetch("/key")).text()`),
      finds: [
        "skipped page.subscribe.key - the key is not written in the page's files; they may ask the server for it",
      ],
    },
  ],
  "page.subscribe.key-form": [
    {
      name: "with padding",
      page: changed("app.js", projectKey, `${projectKey}=`),
      finds: ["problem page.subscribe.key-form public/app.js:15 the key is a string of ordinary base64"],
    },
  ],
  "page.manifest.linked": [
    {
      name: "no link",
      page: changed("index.html", `<link rel="manifest" href="manifest.json">`, ""),
      finds: ["warning page.manifest.linked - no page links a manifest: no push on iPhone and iPad"],
    },
    {
      name: "a link to nothing",
      page: lacking("manifest.json"),
      finds: [
        "warning page.manifest.linked public/index.html:3 the linked manifest is not there: manifest.json",
      ],
    },
  ],
  "page.manifest.readable": [
    {
      name: "a comma too many",
      page: changed("manifest.json", `"standalone",`, `"standalone",,`),
      finds: ["warning page.manifest.readable public/manifest.json the manifest is no JSON object"],
    },
  ],
  "page.manifest.display": [
    {
      name: "in a tab",
      page: changed("manifest.json", "standalone", "browser"),
      finds: [`warning page.manifest.display public/manifest.json display is "browser"`],
    },
  ],
  "page.manifest.name": [
    {
      name: "none",
      page: changed("manifest.json", `"name": "Bakery", `, ""),
      finds: ["warning page.manifest.name public/manifest.json the app has no name"],
    },
  ],
  "page.manifest.icons": [
    {
      name: "too small",
      page: changed("manifest.json", "512x512", "256x256"),
      finds: ["warning page.manifest.icons public/manifest.json no icon of 512 pixels"],
    },
    {
      name: "not there",
      page: lacking("icon-512.png"),
      finds: ["warning page.manifest.icons public/manifest.json the icon is not there: icon-512.png"],
    },
  ],
  "page.manifest.start": [
    {
      name: "outside of the scope",
      page: changed("manifest.json", `"scope": "/"`, `"scope": "/app/"`),
      finds: ["warning page.manifest.start public/manifest.json start_url / is outside of the scope /app/"],
    },
    {
      name: "none",
      page: changed("manifest.json", `"start_url": "/", `, ""),
      finds: ["note page.manifest.start public/manifest.json no start_url: the app opens where it was added"],
    },
  ],
  "page.manifest.id": [
    {
      name: "none",
      page: changed("manifest.json", `"id": "/", `, ""),
      finds: ["note page.manifest.id public/manifest.json the manifest has no id"],
    },
  ],
  "page.manifest.apple-icon": [
    {
      name: "none",
      page: changed("index.html", `<link rel="apple-touch-icon" href="icon-192.png">`, ""),
      finds: ["note page.manifest.apple-icon - no apple-touch-icon; iOS takes an icon of the manifest"],
    },
    {
      name: "not there",
      page: changed("index.html", `href="icon-192.png"`, `href="apple.png"`),
      finds: [
        "warning page.manifest.apple-icon public/index.html:4 the icon for iOS is not there: apple.png",
      ],
    },
  ],
  "page.secrets.key": [
    {
      name: "the project's",
      page: { ...plainPage, "notes.txt": `\nprivate: ${projectPrivateKey}` },
      finds: [
        "problem page.secrets.key public/notes.txt:2 the private key of this project is in a file of the page",
      ],
    },
    {
      name: "somebody else's, called so",
      page: changed("app.js", "const key", `const privateKey = "${projectPrivateKey}";\nconst key`),
      keys: { ...projectKeys, privateKeys: [] },
      finds: ["problem page.secrets.key public/app.js:1 a private key is in a file of the page"],
    },
    {
      name: "in PEM",
      page: {
        ...plainPage,
        "key.txt":
          "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIO3T7WEI2S9pTJ6RDvG3\n-----END EC PRIVATE KEY-----",
      },
      finds: ["problem page.secrets.key public/key.txt:1 a private key is in a file of the page"],
    },
  ],
  "page.secrets.files": [
    {
      name: ".env and the state of webpush",
      page: plainPage,
      folder: { hidden: [".env", ".env.example", ".webpush", ".well-known"] },
      finds: [
        "problem page.secrets.files public/.env .env lies in the folder of the page",
        "problem page.secrets.files public/.webpush .webpush lies in the folder of the page",
      ],
    },
  ],
};

test("the plain page has nothing wrong", async () => {
  expect(await complaints(factsOf(plainPage))).toEqual([]);
});

test("every check has a page that it finds something in", () => {
  expect(Object.keys(cases).sort()).toEqual(pageChecks.map(({ id }) => id).sort());
});

test("ids are not given twice", () => {
  expect(new Set(pageChecks.map(({ id }) => id)).size).toBe(pageChecks.length);
});

test.each(pageChecks.map(({ id }) => id))("%s is good on the plain page", async (id) => {
  const found = await examine(id, factsOf(plainPage));
  expect(found.map(({ level }) => level)).toContain("good");
});

describe.each(Object.entries(cases))("%s", (id, rows) => {
  test.each(rows)("$name", async ({ page, folder, keys, finds }) => {
    const facts = factsOf(page, folder, keys);
    expect(await complaints(facts)).toEqual(finds);
    expect(finds.some((line) => line.split(" ")[1] === id)).toBe(true);
  });
});

test("where there is no page, that is said once", async () => {
  expect(await complaints({ page: undefined, keys: projectKeys })).toEqual([
    "skipped page.files - no page here: name its folder, as in `webpush doctor public`",
  ]);
});
