/**
 * An emulator as commands run it, alone or beside a server: its events told, its state kept where there is a file for it.
 */
import { startEmulator, type Emulator, type EmulatorOptions } from "../../emulator/emulator.ts";
import type { PushServiceEvent } from "../../emulator/events.ts";
import { Labels } from "../../emulator/labels.ts";
import { parseSnapshot } from "../../emulator/snapshot.ts";
import type { EmulatorIdentityStore } from "../../store/emulator-identity.ts";
import type { EmulatorStateFile, HeldEmulatorState } from "../../store/emulator-state.ts";
import type { Context } from "../context.ts";
import { openIdentity } from "./identity.ts";
import { Saver } from "./saver.ts";

export interface RunOptions extends Omit<EmulatorOptions, "clock" | "random" | "tls" | "state" | "onEvent"> {
  readonly identity: EmulatorIdentityStore;
  /** Where the state is kept; undefined for nowhere. */
  readonly stateFile: EmulatorStateFile | undefined;
  readonly onEvent: (event: PushServiceEvent, labels: Labels) => void;
}

export interface RunningEmulator extends AsyncDisposable {
  readonly emulator: Emulator;
  /** The file of the state, for people. */
  readonly statePath: string | undefined;
  /** What clients are to trust; undefined when it could not be written. */
  readonly caPath: string | undefined;
  /** Resolves when a browser has come whose profile is new. */
  readonly newUserAgent: Promise<void>;
  /** Rejects when the state cannot be kept any more: an emulator that forgets is worse than one that stops. */
  readonly failed: Promise<never> | undefined;
}

type Needs = Pick<Context, "io" | "clock" | "random">;

/**
 * Starts it with what was kept. Disposing of it stops it and brings its last state to disk.
 *
 * @throws UserError `emulator-state-busy`, `emulator-state`, and those of `startEmulator`
 */
export async function runEmulator(options: RunOptions, context: Needs): Promise<RunningEmulator> {
  const held = await options.stateFile?.hold();
  try {
    return await start(held, options, context);
  } catch (error) {
    await held?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(
  held: HeldEmulatorState | undefined,
  { identity, stateFile, onEvent, ...options }: RunOptions,
  context: Needs,
): Promise<RunningEmulator> {
  const restored = held?.saved === undefined ? {} : { state: parseSnapshot(held.saved) };
  const { tls, caPath } = await openIdentity(identity, context);
  const labels = new Labels(restored.state);
  let saver: Saver | undefined;
  let came: () => void = () => undefined;
  const newUserAgent = new Promise<void>((resolve) => (came = resolve));
  const hear = (event: PushServiceEvent): void => {
    labels.learn(event);
    onEvent(event, labels);
    saver?.changed();
    if (event.type === "user-agent-connected" && !event.isKnown) came();
  };
  const { clock, random } = context;
  const emulator = await startEmulator({ ...options, clock, random, tls, onEvent: hear, ...restored });
  labels.place(emulator.origin);
  if (stateFile !== undefined) saver = new Saver(stateFile, () => emulator.service.snapshot());
  return {
    emulator,
    caPath,
    statePath: stateFile?.path,
    newUserAgent,
    failed: saver?.failed,
    async [Symbol.asyncDispose]() {
      try {
        await emulator.close();
        await saver?.finish();
      } finally {
        await held?.[Symbol.asyncDispose]();
      }
    },
  };
}
