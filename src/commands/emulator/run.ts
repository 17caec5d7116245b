/**
 * `webpush emulator`: a push service until Ctrl-C, which is how it is meant to end: exit code 0.
 *
 * With --state every change is on disk soon after it happened and for certain when
 * it stops; killed in between, the file is the state of a moment before.
 */
import { once } from "node:events";
import { titleOf, wiringOf } from "../../browsers/browser.ts";
import { findBrowser } from "../../browsers/find.ts";
import { parseFault } from "../../emulator/faults/read-fault.ts";
import { createEmulatorIdentityStoreAt } from "../../store/emulator-identity.ts";
import { createEmulatorStateFile } from "../../store/emulator-state.ts";
import { printable } from "../../terminal/printable.ts";
import { warnOfIdleFlags } from "../browser/idle.ts";
import { browserEventJson, browserEventText } from "../browser/render.ts";
import { browserProblems, watchBrowser, type WatchedBrowser } from "../browser/watch.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { EmulatorOptions } from "./command.ts";
import { eventJson, eventText, openingText, readyJson } from "./render.ts";
import { runEmulator, type RunningEmulator } from "./running.ts";

type Needs = Pick<
  Context,
  "io" | "env" | "clock" | "random" | "signal" | "cwd" | "json" | "emulatorIdentity"
>;

export async function run(options: EmulatorOptions, context: Needs): Promise<ExitCode> {
  const { io, env, signal } = context;
  if (options.open === undefined) warnOfIdleFlags(options, "--open", io);
  else findBrowser(options.open, { env, executable: options.executable });
  {
    await using running = await openEmulator(options, context);
    sayReady(running, options, context);
    await using browser = openBeside(options, running, context);
    const failures = [running, browser].flatMap((part) => part?.failed ?? []);
    if (!signal.aborted) await Promise.race([once(signal, "abort"), ...failures]);
  }
  io.say("stopped");
  return ExitCode.ok;
}

/** Starts the push service; with --state its certificate is in the same folder. */
function openEmulator(options: EmulatorOptions, context: Needs): Promise<RunningEmulator> {
  const { port, host, allowRemote, apiToken, as: personality, state } = options;
  const { io, json, cwd } = context;
  return runEmulator(
    {
      port,
      host,
      allowRemote,
      apiToken,
      personality,
      faults: options.fault.map(parseFault),
      stateFile: state === undefined ? undefined : createEmulatorStateFile(state, cwd),
      identity: state === undefined ? context.emulatorIdentity : createEmulatorIdentityStoreAt(state, cwd),
      onEvent: (event, labels) => {
        io.out(json ? eventJson(event, labels) : eventText(event, labels, io));
      },
    },
    context,
  );
}

function sayReady(
  { emulator, caPath, statePath }: RunningEmulator,
  { as }: EmulatorOptions,
  { io, json, clock }: Needs,
): void {
  const { origin, httpsOrigin, apiToken, service } = emulator;
  const subscriptionCount = service.subscriptions().length;
  const reached = { origin, httpsOrigin, apiToken, caPath, wiring: wiringOf(emulator) };
  const opening = { ...reached, as, statePath, subscriptionCount };
  if (json) io.out(readyJson(opening, clock.now()));
  for (const line of openingText(opening, io)) io.say(line);
}

/** Opens the browser that was asked for; when a person closes it, the push service goes on. */
function openBeside(
  { open, page, headless, executable }: EmulatorOptions,
  { emulator, newUserAgent: ready }: RunningEmulator,
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
