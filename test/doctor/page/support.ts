/** Pages for the doctor, written out in a test. */
import { Secret } from "../../../src/base/secret.ts";
import type { Finding } from "../../../src/doctor/check.ts";
import { pageChecks } from "../../../src/doctor/page-checks.ts";
import type { FolderFiles, PageFacts, PageKeys } from "../../../src/doctor/page/facts.ts";
import { readPage } from "../../../src/doctor/page/page.ts";
import { createPlan } from "../../../src/scaffold/plan.ts";
import { readTemplate } from "../../../src/scaffold/template.ts";

/** The project's pair is the server's of RFC 8291 Appendix A; the other key is of RFC 8292 §2.4. */
export const projectKey =
  "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
export const otherKey =
  "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
export const projectPrivateKey = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

export const projectKeys: PageKeys = {
  current: projectKey,
  all: [projectKey],
  privateKeys: [new Secret(projectPrivateKey)],
};

export type Files = Readonly<Record<string, string>>;

/** A folder called `public`. Pictures need no content. */
function folderOf(files: Files, more: Partial<FolderFiles> = {}): FolderFiles {
  return {
    shown: "public",
    texts: new Map(Object.entries(files)),
    paths: new Set(Object.keys(files)),
    hidden: [],
    leftOut: [],
    ...more,
  };
}

export function factsOf(files: Files, more: Partial<FolderFiles> = {}, keys = projectKeys): PageFacts {
  return { page: readPage(folderOf(files, more)), keys };
}

/** What one check finds. */
export async function examine(id: string, facts: PageFacts): Promise<readonly Finding[]> {
  const check = pageChecks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`no check ${id}`);
  return check.examine(facts);
}

/** What all checks find, as `level id where what`, those that are good left out. */
export async function complaints(facts: PageFacts): Promise<readonly string[]> {
  const found = await Promise.all(
    pageChecks.map(async ({ id, examine: look }) =>
      (await look(facts)).map(({ level, where, what }) => ({
        level,
        line: `${level} ${id} ${where ?? "-"} ${what}`,
      })),
    ),
  );
  return found
    .flat()
    .filter(({ level }) => level !== "good")
    .map(({ line }) => line);
}

/** The files that `webpush scaffold` writes. */
export function scaffoldedPage(publicKey = projectKey): Files {
  const plan = createPlan(readTemplate("client"), {
    appName: "Bakery",
    publicKey,
    server: "/webpush",
    themeColor: "#0b5d4e",
  });
  return Object.fromEntries(plan.map(({ path, content }) => [path, Buffer.from(content).toString("utf8")]));
}

/** A small page that somebody wrote by hand and that is right in everything. */
export const plainPage: Files = {
  "index.html": `<!doctype html>
<meta http-equiv="Content-Security-Policy" content="default-src 'self'">
<link rel="manifest" href="manifest.json">
<link rel="apple-touch-icon" href="icon-192.png">
<button id="on">Tell me</button>
<script src="app.js"></script>`,
  "app.js": `const key = "${projectKey}";
navigator.serviceWorker.register("/sw.js");

async function tell(subscription) {
  await fetch("/api/subscriptions", {
    method: "POST",
    body: JSON.stringify({ ...subscription.toJSON(), applicationServerKey: key }),
  });
}

async function turnOn() {
  const registration = await navigator.serviceWorker.ready;
  try {
    const options = { userVisibleOnly: true, applicationServerKey: key };
    await tell(await registration.pushManager.subscribe(options));
  } catch (error) {
    alert(error.message);
  }
}

async function turnOff() {
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.getSubscription();
  await subscription.unsubscribe();
  await fetch("/api/subscriptions", { method: "DELETE" });
}

document.getElementById("on").addEventListener("click", turnOn);
document.getElementById("off").addEventListener("click", turnOff);
`,
  "sw.js": `self.addEventListener("push", (event) => {
  event.waitUntil(show(event));
});

async function show(event) {
  let title = "News";
  try {
    title = event.data.json().title;
  } catch {
    // a plain one will do
  }
  await self.registration.showNotification(title, { data: "/news" });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow("/news"));
});

self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(fetch("/api/renew", { method: "POST", body: event.oldSubscription.endpoint }));
});
`,
  "manifest.json": `{
  "name": "Bakery", "id": "/", "start_url": "/", "scope": "/", "display": "standalone",
  "icons": [{ "src": "icon-192.png", "sizes": "192x192" }, { "src": "icon-512.png", "sizes": "512x512" }]
}`,
  "icon-192.png": "",
  "icon-512.png": "",
};

/** The page with one text of one file replaced. */
export function changed(path: string, from: string, to: string, files: Files = plainPage): Files {
  const text = files[path] ?? "";
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  return { ...files, [path]: text.replace(from, () => to) };
}

/** The page without a file. */
export function lacking(...paths: readonly string[]): Files {
  return Object.fromEntries(Object.entries(plainPage).filter(([path]) => !paths.includes(path)));
}
