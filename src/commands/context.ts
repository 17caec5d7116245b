/**
 * Everything a command may touch, handed to its runner.
 *
 * Runners ask for a `Pick` of what they use, so a test builds only that. The real
 * one is made in cli/real-context.ts, the only place that names `process`.
 */
import type { Clock, Random } from "../base/clock.ts";
import type { Environment } from "../settings/environment.ts";
import type { ConfigStore, SettingsStore } from "../store/config.ts";
import type { EmulatorIdentityStore } from "../store/emulator-identity.ts";
import type { EmulatorStateFile } from "../store/emulator-state.ts";
import type { ReceiverStore } from "../store/receivers.ts";
import type { SubscriptionStore } from "../store/subscriptions.ts";
import type { Io } from "../terminal/io.ts";
import type { Prompt } from "../terminal/prompt.ts";
import type { ExitCode } from "./exit-code.ts";

export interface Context {
  readonly io: Io;
  readonly prompt: Prompt;
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the person asks to stop. */
  readonly signal: AbortSignal;
  /** Aborts when the person asks a second time: stop now, even in the middle. */
  readonly forceSignal: AbortSignal;
  readonly cwd: string;
  /** How many cores there are besides the one that this runs on. */
  readonly spareCores: number;
  /** The version of this webpush. */
  readonly version: string;
  /** The version of Node that this runs on, without its `v`. */
  readonly nodeVersion: string;
  /** The arguments as they were typed, to be shown when the same command should be given again. */
  readonly commandLine: readonly string[];
  /** Print JSON records instead of text (`--json`). */
  readonly json: boolean;
  /** The project's keys. */
  readonly config: ConfigStore;
  readonly settings: SettingsStore;
  /** The address of the database that keys and subscriptions are in; undefined for the project's files. */
  readonly storeAddress: () => string | undefined;
  /** The query of the application's own table that subscriptions come from; undefined for those that are kept. */
  readonly storeQuery: () => string | undefined;
  readonly subscriptions: SubscriptionStore;
  /** Who `webpush listen` is, by name. */
  readonly receivers: ReceiverStore;
  /** Whom the project's emulator shows itself as over TLS. */
  readonly emulatorIdentity: EmulatorIdentityStore;
  /** What the emulator beside `webpush serve` has kept. */
  readonly emulatorState: EmulatorStateFile;
}

/** What a runner module exports. */
export interface Runnable<Options> {
  readonly run: (options: Options, context: Context) => Promise<ExitCode>;
}
