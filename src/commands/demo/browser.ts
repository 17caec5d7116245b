/**
 * `webpush demo --browser`: the round trip in a stock Chromium or Firefox, without the internet.
 *
 * The browser runs in a profile that is thrown away and uses the push service on
 * this machine instead of its vendor's. It opens the scaffolded page, subscribes,
 * is sent to, and its service worker decrypts and shows. Where we are the desktop
 * (Linux without a window) what it shows is seen there, and clicked.
 */
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { titleOf, wiringOf, type BrowserName, type RunningBrowser } from "../../browsers/browser.ts";
import { findBrowser } from "../../browsers/find.ts";
import { networkProblem } from "../../browsers/network.ts";
import type { ShownNotification } from "../../browsers/notification-bus/notifications.ts";
import { canShowWindow, openBrowser } from "../../browsers/open.ts";
import { startEmulator, type Emulator } from "../../emulator/emulator.ts";
import type { Subscription } from "../../protocol/subscription.ts";
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import { startServer, type DevelopmentServer } from "../../server/server.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { createDemoSite } from "./page.ts";
import { arrivalJson, arrivalText, browserEndingText, stepText, type Step } from "./render.ts";
import { failed, makeKeys, sendOne, ttlSeconds } from "./stage.ts";
import { Story, type StoryEvent } from "./story.ts";

export interface BrowserDemo {
  readonly browser: BrowserName;
  readonly message: string;
  readonly payload: Uint8Array;
  readonly headless: boolean;
  readonly executable: string | undefined;
  /** The person's environment, which the browser needs. */
  readonly env: Context["env"];
}

export async function tellInBrowser(demo: BrowserDemo, context: Context): Promise<ExitCode> {
  const { io, clock, random, json, signal } = context;
  const { browser: name, message } = demo;
  const headless = demo.headless || !canShowWindow(demo.env);
  const problem = networkProblem(name, networkInterfaces());
  if (problem !== undefined) throw failed(problem, undefined);
  findBrowser(name, demo); // Before the story begins.
  const startedAt = clock.now();
  const narrate = (step: Step): void => {
    for (const line of stepText(step, "browser", io)) io.say(line);
  };
  const { publicKey } = await makeKeys(context);
  narrate({ name: "keys", publicKey });
  const story = new Story(signal);
  await using emulator = await startEmulator({ clock, random, onEvent: story.tell });
  narrate({ name: "service", origin: emulator.origin });
  await using server = await openServer({ publicKey, emulator, story }, context);
  await using browser = await openBrowser({
    name,
    executable: demo.executable,
    env: demo.env,
    wiring: wiringOf(emulator),
    url: `${server.origin}/`,
    headless,
    signal,
    ...(name === "firefox" ? { ready: story.first("user-agent-connected") } : {}),
  });
  narrate({ name: "page", browser: titleOf(name), origin: server.origin });
  const { id } = await story.first("stored", failureOfPage);
  narrate({ name: "subscription", subscription: await subscriptionOf(id, context), by: "page" });
  const sent = await sendOne(demo.payload, id, context);
  narrate({ name: "sent", to: undefined, message, ttlSeconds, result: sent });
  const shown = await arrivalAt(browser, story);
  const shownAt = clock.now();
  narrate({ name: "shown", browser: titleOf(name) });
  const { bodyBytes: encryptedBytes, at: acceptedAt } = await story.first("accepted");
  const { at: acknowledgedAt } = await story.first("acknowledged");
  const after = { acknowledgedMs: acknowledgedAt - acceptedAt, shownMs: shownAt - acceptedAt };
  const record = { sent, title: shown.title, encryptedBytes, serviceOrigin: emulator.origin, publicKey };
  if (json) io.out(arrivalJson({ ...record, browser: name, after }));
  else io.out(arrivalText(shown.title, io));
  const isClicked = await click(shown, story);
  const ending = { browser: name, durationMs: clock.now() - startedAt, isClicked, headless };
  for (const line of browserEndingText(ending, io)) io.say(line);
  if (!headless) await Promise.race([browser.exited, ...(signal.aborted ? [] : [once(signal, "abort")])]);
  return ExitCode.ok;
}

interface Stage {
  readonly publicKey: VapidPublicKey;
  readonly emulator: Emulator;
  readonly story: Story;
}

function openServer({ publicKey, emulator, story }: Stage, context: Context): Promise<DevelopmentServer> {
  const { origin, service } = emulator;
  return startServer({
    site: createDemoSite(publicKey),
    store: context.subscriptions,
    publicKey: () => Promise.resolve(publicKey),
    holdsKey: (key) => Promise.resolve(key === publicKey),
    sendTest: () => Promise.reject(new Error("nobody presses the demo's test button")),
    clock: context.clock,
    onEvent: story.tell,
    port: 0,
    host: undefined,
    allowRemote: false,
    allowHosts: [],
    localPushService: { origin, knows: (token) => service.peekPushId(token).kind !== "refused" },
  });
}

/** What the demo's page says when it is stuck; see page.ts. */
function failureOfPage(event: StoryEvent): string | undefined {
  return event.type === "beacon" && event.what === "error"
    ? `the page could not turn on notifications, its state is ${JSON.stringify(event.messageId)}`
    : undefined;
}

async function subscriptionOf(id: string, { subscriptions }: Context): Promise<Subscription> {
  const [record] = await subscriptions.named(id);
  if (record === undefined) throw failed("the server stored no subscription", undefined);
  return record.subscription;
}

interface Shown {
  readonly title: string;
  /** `undefined` where the person's own desktop shows it. */
  readonly notification: ShownNotification | undefined;
}

/** What the desktop was asked to show, or where that is not us, what the service worker says it showed. */
async function arrivalAt(browser: RunningBrowser, story: Story): Promise<Shown> {
  const beacon = story.first("beacon", undefined, (event) => event.what === "shown");
  if (!browser.seesNotifications) return { title: (await beacon).title ?? "", notification: undefined };
  const seen = nextOf(browser.notifications);
  await Promise.race([seen, beacon]);
  const notification = await story.within(seen, "the notification");
  return { title: notification.title, notification };
}

async function nextOf<Item>(items: AsyncIterable<Item>): Promise<Item> {
  for await (const item of items) return item;
  throw failed("the browser ended", undefined);
}

/** Clicks it as a person would; whether the service worker heard of that. */
async function click({ notification }: Shown, story: Story): Promise<boolean> {
  if (notification === undefined) return false;
  notification.click();
  await story.first("beacon", undefined, (event) => event.what === "clicked");
  return true;
}
