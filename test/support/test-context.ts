/**
 * A Context for runners under test: real stores in a folder of their own, everything else fixed.
 *
 * What would have been printed is in `stdout` and `stderr`, a line each. The clock
 * stands still until a test moves it, the random bytes are the same in every run.
 */
import { createHash } from "node:crypto";
import type { Clock, Random } from "../../src/base/clock.ts";
import type { Context } from "../../src/commands/context.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import type { VapidKeyPair } from "../../src/protocol/vapid.ts";
import type { Environment } from "../../src/settings/environment.ts";
import { createConfigStore, createSettingsStore, withCurrentPair } from "../../src/store/config.ts";
import { locateProject, type ProjectLocation } from "../../src/store/project.ts";
import { createEmulatorIdentityStore } from "../../src/store/emulator-identity.ts";
import { createProjectEmulatorState } from "../../src/store/emulator-state.ts";
import { createReceiverStore } from "../../src/store/receivers.ts";
import { createSubscriptionStore } from "../../src/store/subscription-file.ts";
import type { Addition } from "../../src/store/subscriptions.ts";
import { plainPaint } from "../../src/terminal/paint.ts";
import { absentStatusArea } from "../../src/terminal/status-area.ts";
import { scriptedPrompt, type ScriptedAnswer } from "./scripted-prompt.ts";
import { tempFolder } from "./temp-folder.ts";

/** A clock that a test sets. */
export interface TestClock extends Clock {
  nowMs: number;
}

export interface TestContext extends Context {
  /** Lines of data. */
  readonly stdout: readonly string[];
  /** Lines of talk: errors, progress and, with `verbose`, details. */
  readonly stderr: readonly string[];
  readonly clock: TestClock;
  /** Where the state files are. */
  readonly location: ProjectLocation;
  /** As a person's first and second Ctrl-C. */
  readonly interrupts: { stop(): void; force(): void };
}

export interface TestContextOptions {
  /** Pairs the project has, the last one current. */
  readonly pairs?: readonly VapidKeyPair[];
  readonly subject?: string;
  /** Project settings, as `webpush config set` stores them. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly subscriptions?: readonly (Pick<Addition, "subscription"> & Partial<Addition>)[];
  readonly env?: Environment;
  /** What is piped in. */
  readonly stdin?: string | Uint8Array;
  /** What the person answers; without it nobody is there. */
  readonly answers?: readonly ScriptedAnswer[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly columns?: number;
  readonly cwd?: string;
}

/** The time of every test context until it is moved. */
export const testNow = Date.parse("2026-11-02T12:00:00.000Z");

/** Builds a context over stores in a new folder, holding what `options` say. */
export async function testContext(options: TestContextOptions = {}): Promise<TestContext> {
  const cwd = options.cwd ?? tempFolder();
  const location = locateProject({ cwd, configDir: undefined, profile: undefined });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const clock: TestClock = { nowMs: testNow, now: () => clock.nowMs };
  const [stop, force] = [new AbortController(), new AbortController()];
  const context: TestContext = {
    stdout,
    stderr,
    location,
    io: {
      out: (text) => void stdout.push(...text.split("\n")),
      say: (text) => {
        if (options.quiet !== true) stderr.push(...text.split("\n"));
      },
      err: (text) => void stderr.push(...text.split("\n")),
      isDetailed: options.verbose ?? false,
      detail: (text) => {
        if (options.verbose === true) stderr.push(...text.split("\n"));
      },
      asTyped: (text) => text,
      drained: () => Promise.resolve(),
      status: absentStatusArea,
      paint: { out: plainPaint, err: plainPaint },
      terminal: {
        in: options.stdin === undefined,
        out: options.answers !== undefined,
        err: options.answers !== undefined,
        columns: options.columns ?? 80,
        errColumns: options.columns ?? (options.answers === undefined ? Number.POSITIVE_INFINITY : 80),
      },
      stdin: chunks(options.stdin ?? ""),
    },
    prompt: scriptedPrompt(options.answers),
    env: options.env ?? {},
    clock,
    random: seededRandom("webpush"),
    signal: stop.signal,
    forceSignal: force.signal,
    interrupts: {
      stop: () => {
        stop.abort();
      },
      force: () => {
        force.abort();
      },
    },
    cwd,
    spareCores: 0,
    version: "0.0.0",
    nodeVersion: "24.3.0",
    commandLine: ["send", "Hello"],
    json: options.json ?? false,
    config: createConfigStore(location),
    settings: createSettingsStore(location),
    storeAddress: () => options.env?.["WEBPUSH_STORE"],
    storeQuery: () => options.env?.["WEBPUSH_QUERY"],
    subscriptions: createSubscriptionStore(location),
    receivers: createReceiverStore(location),
    emulatorIdentity: createEmulatorIdentityStore(location),
    emulatorState: createProjectEmulatorState(location),
  };
  await seed(context, options);
  return context;
}

async function seed(
  { config, settings, subscriptions }: Context,
  options: TestContextOptions,
): Promise<void> {
  const { pairs = [], subject } = options;
  const given = options.settings;
  if (given !== undefined) await settings.update(() => given);
  if (pairs.length > 0 || subject !== undefined) {
    await config.update((empty) => ({
      ...pairs.reduce(
        (before, pair) => withCurrentPair(before, { pair, createdAt: testNow }, { replacing: false }),
        empty,
      ),
      subject: subject === undefined ? undefined : parseSubject(subject).subject,
    }));
  }
  if (options.subscriptions === undefined) return;
  await subscriptions.add(
    options.subscriptions.map((addition) => ({ name: undefined, tags: [], ...addition })),
    testNow,
  );
}

/** Bytes that look random and are the same for the same seed. */
export function seededRandom(seed: string): Random {
  let drawn = 0;
  return {
    bytes(length) {
      const blocks: Buffer[] = [];
      while (blocks.length * 32 < length) {
        blocks.push(createHash("sha256").update(`${seed} ${drawn++}`).digest());
      }
      return Buffer.concat(blocks).subarray(0, length);
    },
  };
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of one chunk
async function* chunks(input: string | Uint8Array): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(input);
  if (bytes.length > 0) yield bytes;
}
