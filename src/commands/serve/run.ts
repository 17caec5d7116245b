/**
 * `webpush serve`: the page and its server until Ctrl-C, which is how it is meant to end: exit code 0.
 *
 * Beside it, when asked for, an emulator: then the whole of web push is in this one process.
 */
import { once } from "node:events";
import type { ServerEvent } from "../../server/events.ts";
import { startServer, type DevelopmentServer } from "../../server/server.ts";
import type { Context } from "../context.ts";
import { eventJson as emulatorEventJson, eventText as emulatorEventText } from "../emulator/render.ts";
import type { RunOptions } from "../emulator/running.ts";
import { ExitCode } from "../exit-code.ts";
import { findPageKey, makePageKey, type PageKey } from "../scaffold/page-key.ts";
import { assertBrowser, forgetGuests, openBrowserBeside } from "./browser.ts";
import type { ServeOptions } from "./command.ts";
import { startEmulatorBeside, type EmulatorBeside } from "./emulator.ts";
import { watchGuests, type Guests } from "./guests.ts";
import { keyRingOf } from "../key-ring.ts";
import { pageProblems } from "./page-settings.ts";
import { findPageFolder, openSite, type PageFolder } from "./page.ts";
import { eventJson, eventText, openingText, problemText, readyJson } from "./render.ts";
import { sendTestPush } from "./test-push.ts";

export async function run(options: ServeOptions, context: Context): Promise<ExitCode> {
  const { io, signal, subscriptions } = context;
  assertBrowser(options, context);
  const isOffline = options.emulator || options.open !== undefined;
  const page = findPageFolder(options.dir, context);
  const { total: subscriptionCount } = await subscriptions.count();
  const key =
    (await findPageKey({ key: undefined }, context)) ?? (await makePageKey({ yes: isOffline }, context));
  await using beside = isOffline ? await openEmulator(options, context) : undefined;
  const guests =
    beside && options.open !== undefined ? watchGuests(beside.emulator, subscriptions) : undefined;
  const parts = { page, key, beside, guests };
  await using server = await openServer(parts, options, context);
  sayReady({ ...parts, origin: server.origin, subscriptionCount }, options, context);
  {
    await using browser = openBrowserBeside(server.origin, { beside, guests }, options, context);
    const failures = [beside, browser].flatMap((part) => part?.failed ?? []);
    if (!signal.aborted) await Promise.race([once(signal, "abort"), ...failures]);
  }
  await forgetGuests(guests, context);
  io.say("stopped");
  return ExitCode.ok;
}

function sayReady(
  { page, key, beside, origin, subscriptionCount }: Parts & Ready,
  { open, headless }: ServeOptions,
  { io, json, clock, subscriptions }: Context,
): void {
  const opening = {
    origin,
    folder: page?.shown,
    key,
    storePath: subscriptions.path,
    subscriptionCount,
    emulator: beside?.emulator.origin,
    browser: open,
    headless,
  };
  if (json) io.out(readyJson(opening, clock.now()));
  for (const line of openingText(opening, io)) io.say(line);
  const problems = page === undefined ? [] : pageProblems(page, key.publicKey);
  for (const line of problems.flatMap((problem) => problemText(problem, io))) io.err(line);
}

interface Ready {
  readonly origin: string;
  readonly subscriptionCount: number;
}

interface Parts {
  readonly page: PageFolder | undefined;
  readonly key: PageKey;
  readonly beside: EmulatorBeside | undefined;
  readonly guests: Guests | undefined;
}

function openServer(
  { page, key, beside, guests }: Parts,
  options: ServeOptions,
  context: Context,
): Promise<DevelopmentServer> {
  const { publicKey } = key;
  const { io, json } = context;
  return startServer({
    site: openSite(page, publicKey, context),
    store: context.subscriptions,
    publicKey: async () => (await keyRingOf(context)).current?.publicKey ?? publicKey,
    holdsKey: async (made) => (await keyRingOf(context)).pairs.some((pair) => pair.publicKey === made),
    sendTest: (record) => sendTestPush(record, options, context),
    clock: context.clock,
    onEvent: (event: ServerEvent) => {
      const line = json ? eventJson(event) : eventText(event, io);
      if (line !== undefined) io.out(line);
      if (event.type === "stored") guests?.saw(event.endpoint);
    },
    port: options.port,
    host: options.host,
    allowRemote: options.allowRemote,
    allowHosts: options.allowHost,
    localPushService: beside?.pushService,
  });
}

/** Starts the emulator beside, its log going where the server's does. */
function openEmulator({ emulatorPort }: ServeOptions, context: Context): Promise<EmulatorBeside> {
  const { io, json } = context;
  const onEvent: RunOptions["onEvent"] = (event, labels) => {
    io.out(json ? emulatorEventJson(event, labels) : emulatorEventText(event, labels, io));
  };
  return startEmulatorBeside({ port: emulatorPort, onEvent }, context);
}
