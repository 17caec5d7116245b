/**
 * The emulator beside `webpush serve`: a push service whose subscriptions survive a restart.
 *
 * Its state is the project's, in `.webpush/emulator/`, so what a browser subscribed
 * yesterday is known today, and messages that waited still come.
 */
import { UserError } from "../../base/errors.ts";
import { startEmulator, type Emulator } from "../../emulator/emulator.ts";
import type { PushServiceEvent } from "../../emulator/events.ts";
import { Labels } from "../../emulator/labels.ts";
import { parseSnapshot } from "../../emulator/snapshot.ts";
import type { LocalPushService } from "../../server/local-push-service.ts";
import type { HeldEmulatorState } from "../../store/emulator-state.ts";
import type { Context } from "../context.ts";
import { openIdentity } from "../emulator/identity.ts";
import { Saver } from "../emulator/saver.ts";

/** A running emulator that keeps its state. */
export interface EmulatorBeside extends AsyncDisposable {
  readonly emulator: Emulator;
  /** How the server tells the emulator's subscriptions from others. */
  readonly pushService: LocalPushService;
  /** Resolves when a browser has come whose profile is new. */
  readonly newUserAgent: Promise<void>;
  /** Rejects when the state cannot be kept any more: an emulator that forgets is worse than one that stops. */
  readonly failed: Promise<never>;
}

export interface EmulatorBesideOptions {
  readonly port: number;
  readonly onEvent: (event: PushServiceEvent, labels: Labels) => void;
}

/**
 * Starts it with what was kept.
 *
 * @throws UserError `emulator-port`, `emulator-state`, and those of the state file
 */
export async function startEmulatorBeside(
  options: EmulatorBesideOptions,
  context: Needs,
): Promise<EmulatorBeside> {
  const held = await context.emulatorState.hold();
  try {
    return await start(held, options, context);
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}

type Needs = Pick<Context, "io" | "clock" | "random" | "emulatorState" | "emulatorIdentity">;

async function start(
  held: HeldEmulatorState,
  { port, onEvent }: EmulatorBesideOptions,
  context: Needs,
): Promise<EmulatorBeside> {
  const { clock, random, emulatorState } = context;
  const { tls } = await openIdentity(context.emulatorIdentity, context);
  const restored = held.saved === undefined ? {} : { state: parseSnapshot(held.saved) };
  const labels = new Labels(restored.state);
  let came: () => void = () => undefined;
  const newUserAgent = new Promise<void>((resolve) => (came = resolve));
  let changed = (): void => undefined;
  const listen = (event: PushServiceEvent): void => {
    labels.learn(event);
    onEvent(event, labels);
    changed();
    if (event.type === "user-agent-connected" && !event.isKnown) came();
  };
  const emulator = await startEmulator({ clock, random, port, tls, onEvent: listen, ...restored }).catch(
    (error: unknown) => {
      throw portTaken(error);
    },
  );
  const { service } = emulator;
  labels.place(emulator.origin);
  const saver = new Saver(emulatorState, () => service.snapshot());
  changed = () => {
    saver.changed();
  };
  const { failed } = saver;
  return {
    emulator,
    newUserAgent,
    failed,
    pushService: {
      origin: emulator.origin,
      knows: (token) => service.peekPushId(token).kind === "subscription",
    },
    async [Symbol.asyncDispose]() {
      await emulator.close();
      await saver.finish();
      await held[Symbol.asyncDispose]();
    },
  };
}

/** The same error, with this command's own flag for the port. */
function portTaken(error: unknown): unknown {
  if (!(error instanceof UserError) || error.code !== "emulator-port") return error;
  return new UserError("emulator-port", `the emulator cannot start: ${error.message}`, {
    kind: "failed",
    hints: ["stop the other program, or add --emulator-port 0 for any free port"],
    cause: error,
  });
}
