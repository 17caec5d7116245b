/**
 * `webpush emulator`: a push service until Ctrl-C, which is how it is meant to end: exit code 0.
 *
 * With --state every change is on disk soon after it happened and for certain when
 * it stops; killed in between, the file is the state of a moment before.
 */
import { once } from "node:events";
import type { PushServiceEvent } from "../../emulator/events.ts";
import { startEmulator } from "../../emulator/emulator.ts";
import { parseSnapshot } from "../../emulator/snapshot.ts";
import { createEmulatorIdentityStoreAt } from "../../store/emulator-identity.ts";
import { createEmulatorStateFile, type EmulatorStateFile } from "../../store/emulator-state.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { EmulatorOptions } from "./command.ts";
import { Labels } from "../../emulator/labels.ts";
import { openIdentity } from "./identity.ts";
import { eventJson, eventText, openingText, readyJson } from "./render.ts";
import { Saver } from "./saver.ts";

type Needs = Pick<Context, "io" | "clock" | "random" | "signal" | "cwd" | "json" | "emulatorIdentity">;

export async function run(options: EmulatorOptions, context: Needs): Promise<ExitCode> {
  const { io, clock, random, signal, cwd, json } = context;
  const { port, host, allowRemote } = options;
  const file = options.state === undefined ? undefined : createEmulatorStateFile(options.state, cwd);
  const state = restore(file);
  const identityStore =
    options.state === undefined
      ? context.emulatorIdentity
      : createEmulatorIdentityStoreAt(options.state, cwd);
  const { tls, caPath } = await openIdentity(identityStore, context);
  const labels = new Labels(state);
  let saver: Saver | undefined;
  const onEvent = (event: PushServiceEvent): void => {
    labels.learn(event);
    io.out(json ? eventJson(event, labels) : eventText(event, labels, io));
    saver?.changed();
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
    onEvent,
    ...restored,
  });
  labels.place(emulator.origin);
  if (file !== undefined) saver = new Saver(file, () => emulator.service.snapshot());
  const subscriptionCount = emulator.service.subscriptions().length;
  const { origin, httpsOrigin } = emulator;
  const opening = { origin, httpsOrigin, caPath, as: options.as, statePath: file?.path, subscriptionCount };
  if (json) io.out(readyJson(opening, clock.now()));
  for (const line of openingText(opening, io)) io.say(line);
  if (!signal.aborted) await Promise.race([once(signal, "abort"), ...(saver ? [saver.failed] : [])]);
  await emulator.close();
  await saver?.finish();
  io.say("stopped");
  return ExitCode.ok;
}

function restore(file: EmulatorStateFile | undefined) {
  const saved = file?.read();
  return saved === undefined ? undefined : parseSnapshot(saved);
}
