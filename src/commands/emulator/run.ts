/**
 * `webpush emulator`: a push service until Ctrl-C, which is how it is meant to end: exit code 0.
 *
 * With --state every change is on disk soon after it happened and for certain when
 * it stops; killed in between, the file is the state of a moment before.
 */
import { once } from "node:events";
import { titleOf, wiringOf } from "../../browsers/browser.ts";
import { findBrowser } from "../../browsers/find.ts";
import type { PushServiceEvent } from "../../emulator/events.ts";
import { startEmulator, type Emulator } from "../../emulator/emulator.ts";
import { parseFault } from "../../emulator/faults/read-fault.ts";
import { parseSnapshot } from "../../emulator/snapshot.ts";
import { createEmulatorIdentityStoreAt } from "../../store/emulator-identity.ts";
import { createEmulatorStateFile } from "../../store/emulator-state.ts";
import { printable } from "../../terminal/printable.ts";
import { warnOfIdleFlags } from "../browser/idle.ts";
import { browserEventJson, browserEventText } from "../browser/render.ts";
import { browserProblems, watchBrowser, type WatchedBrowser } from "../browser/watch.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { EmulatorOptions } from "./command.ts";
import { Labels } from "../../emulator/labels.ts";
import { openIdentity } from "./identity.ts";
import { eventJson, eventText, openingText, readyJson } from "./render.ts";
import { Saver } from "./saver.ts";

type Needs = Pick<
  Context,
  "io" | "env" | "clock" | "random" | "signal" | "cwd" | "json" | "emulatorIdentity"
>;

export async function run(options: EmulatorOptions, context: Needs): Promise<ExitCode> {
  const { io, env, clock, random, signal, cwd, json } = context;
  const { port, host, allowRemote } = options;
  if (options.open === undefined) warnOfIdleFlags(options, "--open", io);
  else findBrowser(options.open, { env, executable: options.executable });
  const faults = options.fault.map(parseFault);
  const file = options.state === undefined ? undefined : createEmulatorStateFile(options.state, cwd);
  await using held = await file?.hold();
  const state = held?.saved === undefined ? undefined : parseSnapshot(held.saved);
  const identityStore =
    options.state === undefined
      ? context.emulatorIdentity
      : createEmulatorIdentityStoreAt(options.state, cwd);
  const { tls, caPath } = await openIdentity(identityStore, context);
  const labels = new Labels(state);
  let saver: Saver | undefined;
  let hear: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (hear = resolve));
  const onEvent = (event: PushServiceEvent): void => {
    labels.learn(event);
    io.out(json ? eventJson(event, labels) : eventText(event, labels, io));
    saver?.changed();
    // A browser with a new profile is nobody that was here before.
    if (event.type === "user-agent-connected" && !event.isKnown) hear();
  };
  const restored = state === undefined ? {} : { state };
  await using emulator = await startEmulator({
    clock,
    random,
    port,
    host,
    allowRemote,
    tls,
    personality: options.as,
    faults,
    apiToken: options.apiToken,
    onEvent,
    ...restored,
  });
  labels.place(emulator.origin);
  if (file !== undefined) saver = new Saver(file, () => emulator.service.snapshot());
  const subscriptionCount = emulator.service.subscriptions().length;
  const { origin, httpsOrigin, apiToken } = emulator;
  const reached = { origin, httpsOrigin, apiToken, caPath, wiring: wiringOf(emulator) };
  const opening = { ...reached, as: options.as, statePath: file?.path, subscriptionCount };
  if (json) io.out(readyJson(opening, clock.now()));
  for (const line of openingText(opening, io)) io.say(line);
  {
    await using browser = openBeside(options, { emulator, ready }, context);
    const failures = [saver, browser].flatMap((part) => part?.failed ?? []);
    if (!signal.aborted) await Promise.race([once(signal, "abort"), ...failures]);
  }
  await emulator.close();
  await saver?.finish();
  io.say("stopped");
  return ExitCode.ok;
}

interface BrowserPlace {
  readonly emulator: Emulator;
  readonly ready: Promise<void>;
}

/** Opens the browser that was asked for; when a person closes it, the push service goes on. */
function openBeside(
  { open, page, headless, executable }: EmulatorOptions,
  { emulator, ready }: BrowserPlace,
  context: Needs,
): WatchedBrowser | undefined {
  if (open === undefined) return undefined;
  const { io, json } = context;
  for (const problem of browserProblems({ name: open, url: page }))
    io.err(`${io.paint.err.caution("warning:")} ${printable(problem)}`);
  io.say(`opening ${titleOf(open)}…`);
  const wiring = wiringOf(emulator);
  const options = { name: open, executable, headless, url: page, wiring, ready };
  return watchBrowser(options, context, (event) => {
    io.out(json ? browserEventJson(event) : browserEventText(event, io));
    if (event.type === "browser-ended") io.say("the push service goes on; Ctrl-C stops it");
  });
}
