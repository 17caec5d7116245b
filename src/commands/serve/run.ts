/**
 * `webpush serve`: the page and its server until Ctrl-C, which is how it is meant to end: exit code 0.
 */
import { once } from "node:events";
import type { ServerEvent } from "../../server/events.ts";
import { startServer } from "../../server/server.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { findPageKey, makePageKey } from "../scaffold/page-key.ts";
import type { ServeOptions } from "./command.ts";
import { keyRingOf } from "./keys.ts";
import { pageProblems } from "./page-settings.ts";
import { findPageFolder, openSite } from "./page.ts";
import { eventJson, eventText, openingText, problemText, readyJson } from "./render.ts";
import { sendTestPush } from "./test-push.ts";

export async function run(options: ServeOptions, context: Context): Promise<ExitCode> {
  const { io, clock, signal, json, subscriptions } = context;
  const page = findPageFolder(options.dir, context);
  const { length: subscriptionCount } = await subscriptions.list();
  const key = findPageKey({ key: undefined }, context) ?? (await makePageKey({ yes: false }, context));
  const { publicKey } = key;
  const onEvent = (event: ServerEvent): void => {
    const line = json ? eventJson(event) : eventText(event, io);
    if (line !== undefined) io.out(line);
  };
  await using server = await startServer({
    site: openSite(page, publicKey, context),
    store: subscriptions,
    publicKey: () => keyRingOf(context).current?.publicKey ?? publicKey,
    holdsKey: (made) => keyRingOf(context).pairs.some((pair) => pair.publicKey === made),
    sendTest: (record) => sendTestPush(record, options, context),
    clock,
    onEvent,
    port: options.port,
    host: options.host,
    allowRemote: options.allowRemote,
    allowHosts: options.allowHost,
    localPushService: undefined,
  });
  const opening = {
    origin: server.origin,
    folder: page?.shown,
    key,
    storePath: subscriptions.path,
    subscriptionCount,
  };
  if (json) io.out(readyJson(opening, clock.now()));
  for (const line of openingText(opening, io)) io.say(line);
  for (const problem of page === undefined ? [] : pageProblems(page, publicKey)) {
    for (const line of problemText(problem, io)) io.err(line);
  }
  if (!signal.aborted) await once(signal, "abort");
  await server.close();
  io.say("stopped");
  return ExitCode.ok;
}
