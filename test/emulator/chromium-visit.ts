/** A stock Chromium on an emulator, its page and its worker, for one test; no network but loopback. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { onTestFinished } from "vitest";
import { chromiumArguments } from "../../src/browsers/chromium.ts";
import { findBrowser } from "../../src/browsers/find.ts";
import { startEmulator, type Emulator, type EmulatorOptions } from "../../src/emulator/emulator.ts";
import type { PushServiceEvent } from "../../src/emulator/events.ts";
import { createPushRequest } from "../../src/protocol/push-request.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { parseSubscription } from "../../src/protocol/subscription.ts";
import { createScalar } from "../../src/protocol/vapid.ts";
import { signToken } from "../../src/protocol/vapid-token.ts";
import { samplePair } from "../support/samples.ts";
import { startStaticServer, type StaticServer } from "../support/static-server.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { call } from "./wire.ts";

const pair = samplePair("chromium");

const clock = { now: () => Date.now() };
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };

/** Keeps what is pushed, and hands it to every page that asks. */
const worker = `
const kept = [];
addEventListener("push", (event) => event.waitUntil((async () => {
  kept.push(event.data === null ? null : event.data.text());
  await registration.showNotification("pushed");
  for (const client of await clients.matchAll({ includeUncontrolled: true })) client.postMessage(kept);
})()));
addEventListener("message", (event) => event.source.postMessage(kept));
`;

const page = `<!doctype html><title>Push</title><script>
window.kept = [];
navigator.serviceWorker.addEventListener("message", ({ data }) => { window.kept = data; });
window.worker = navigator.serviceWorker.register("/sw.js").then(() => navigator.serviceWorker.ready);
</script>`;

export interface SubscriptionJson {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

export interface Emulation {
  readonly emulator: Emulator;
  readonly events: readonly PushServiceEvent[];
}

/** An emulator by the machine's clock. */
export async function emulate(options: Partial<EmulatorOptions> = {}): Promise<Emulation> {
  const events: PushServiceEvent[] = [];
  const emulator = await startEmulator({
    clock,
    random,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  onTestFinished(() => emulator.close());
  return { emulator, events };
}

export async function openSite(): Promise<StaticServer> {
  return startStaticServer(tempFolder(), {
    replace: new Map([
      ["index.html", page],
      ["sw.js", worker],
    ]),
  });
}

/** A new profile in which the site may show notifications. */
export function createProfile({ origin }: StaticServer): string {
  const profile = tempFolder();
  const exceptions = { notifications: { [`${origin},*`]: { setting: 1 } } };
  mkdirSync(join(profile, "Default"));
  writeFileSync(
    join(profile, "Default", "Preferences"),
    JSON.stringify({ profile: { content_settings: { exceptions } } }),
  );
  return profile;
}

/** Starts Chromium with the page of the site open. */
export async function openChromium(
  { port, tls }: Pick<Emulator, "port" | "tls">,
  site: StaticServer,
  profile: string,
) {
  const launch = { headless: true, isRoot: process.getuid?.() === 0, wiring: { port, ...tls } };
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findBrowser("chromium", { env: process.env, executable: undefined }),
    // Playwright names the profile and opens the page.
    args: chromiumArguments(launch, profile, "").filter(
      (arg) => arg !== "" && !arg.startsWith("--user-data-dir"),
    ),
  });
  onTestFinished(() => context.close());
  const tab = context.pages()[0] ?? (await context.newPage());
  await tab.goto(`${site.origin}/`);
  return {
    /** `pushManager.subscribe()`; what it fails with is the test's failure. */
    subscribe: () =>
      tab.evaluate<SubscriptionJson>(
        `worker.then(({ pushManager }) =>
          pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: ${JSON.stringify(pair.publicKey)} })
        ).then((subscription) => subscription.toJSON())`,
      ),
    unsubscribe: () =>
      tab.evaluate<boolean>(
        "worker.then(({ pushManager }) => pushManager.getSubscription()).then((it) => it.unsubscribe())",
      ),
    /** What the worker was pushed since it last started, once it is `count` messages. */
    received: async (count: number) => {
      await tab.evaluate("worker.then(({ active }) => active.postMessage(null))");
      await tab.waitForFunction(`kept.length >= ${count}`);
      return tab.evaluate<(string | null)[]>("kept");
    },
    close: () => context.close(),
  };
}

export interface PushOptions {
  readonly ttlSeconds?: number;
  readonly contentEncoding?: "aes128gcm" | "aesgcm";
}

/** Sends as an application server does, to the emulator instead of the host that Chromium has built in. */
export async function push(
  { origin }: Pick<Emulator, "origin">,
  subscription: SubscriptionJson,
  text: string | undefined,
  { ttlSeconds = 60, contentEncoding = "aes128gcm" }: PushOptions = {},
): Promise<number> {
  const endpoint = new URL(new URL(subscription.endpoint).pathname, origin).href;
  const to = parseSubscription({ ...subscription, endpoint, contentEncoding });
  const { subject } = parseSubject("mailto:ops@harbour.shop");
  const expiresAt = clock.now() + 3_600_000;
  const token = signToken({ audience: origin, subject, pair, expiresAt, encoding: to.contentEncoding });
  const payload = text === undefined ? undefined : Buffer.from(text);
  const message = { payload, ttlSeconds, urgency: undefined, topic: undefined };
  const material = { salt: random.bytes(16), privateKey: createScalar(random) };
  const { headers, body } = createPushRequest(message, to, token, material);
  return (await call("POST", endpoint, { headers, body })).status;
}
