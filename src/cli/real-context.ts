/**
 * The real world: process streams, environment, clock and randomness.
 *
 * cli/ is the only folder that names `process`; everything below gets what it
 * needs through `Context`.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import type { Readable } from "node:stream";
import { UserError } from "../base/errors.ts";
import type { Context } from "../commands/context.ts";
import { isReadableByOthers, locateProject, shownPath } from "../store/project.ts";
import { createSettingsStore, type ProjectSettings, type SettingsStore } from "../store/config.ts";
import { createEmulatorIdentityStore } from "../store/emulator-identity.ts";
import { createProjectEmulatorState } from "../store/emulator-state.ts";
import { createReceiverStore } from "../store/receivers.ts";
import { openStores, type StoreChoice } from "../store/open.ts";
import { hasPassword } from "../store/postgres/address.ts";
import type { Io, Terminal } from "../terminal/io.ts";
import { printable } from "../terminal/printable.ts";
import { isColourful, openColourPaint, plainPaint } from "../terminal/paint.ts";
import { absentPrompt, createPrompt } from "../terminal/prompt.ts";
import { absentStatusArea, createStatusArea, type SharedStatusArea } from "../terminal/status-area.ts";
import { wrapTalk } from "../terminal/wrap.ts";
import { commandsAsTyped } from "./as-typed.ts";
import { columnsOf } from "./columns.ts";
import type { GlobalOptions } from "./global-options.ts";

/** What main() needs of a process; tests hand in their own. */
export interface Host {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: NodeJS.WritableStream & { columns?: number };
  readonly stderr: NodeJS.WritableStream & { columns?: number; rows?: number };
  readonly isTerminal: { readonly in: boolean; readonly out: boolean; readonly err: boolean };
  readonly signal: AbortSignal;
  readonly forceSignal: AbortSignal;
  /** Of Node, without its `v`. */
  readonly nodeVersion: string;
  /** Node's version and platform, for bug reports. */
  readonly platform: string;
}

const defaultColumns = 80;

/** Builds the context of one run. */
export async function openContext(
  host: Host,
  globals: GlobalOptions,
  version: string,
): Promise<{ readonly context: Context; readonly stores: AsyncDisposable }> {
  const location = locateProject({ cwd: host.cwd, configDir: globals.configDir, profile: globals.profile });
  const io = await openIo(host, globals);
  if (isReadableByOthers(location.configFile)) {
    io.err(
      `${io.paint.err.caution("warning:")} others can read ${shownPath(location.configFile, location)}, which holds private keys`,
    );
    io.err(`${io.paint.err.hint("hint:")} chmod 600 it; make new keys if somebody may have read it`);
  }
  refuseEmptyStore(globals, host);
  warnOfPassword(globals, host, io);
  const settings = createSettingsStore(location);
  const choice = chooserOf(globals, settings);
  const storeAddress = choice.address;
  const stores = openStores(location, {
    ...choice,
    caution: (text) => {
      io.say(`${io.paint.err.caution("note:")} ${printable(text)}`);
    },
  });
  const asks = globals.input && host.isTerminal.in && host.isTerminal.err && !isWatchedByNobody(host);
  const context: Context = {
    io,
    prompt:
      asks && !globals.json
        ? createPrompt({ input: () => host.stdin, output: host.stderr, signal: host.signal })
        : absentPrompt,
    env: host.env,
    clock: { now: () => Date.now() },
    random: { bytes: (length) => randomBytes(length) },
    signal: host.signal,
    forceSignal: host.forceSignal,
    cwd: host.cwd,
    spareCores: availableParallelism() - 1,
    version,
    nodeVersion: host.nodeVersion,
    commandLine: host.argv,
    json: globals.json,
    config: stores.config,
    settings,
    storeAddress,
    storeQuery: choice.query,
    subscriptions: stores.subscriptions,
    receivers: createReceiverStore(location),
    emulatorIdentity: createEmulatorIdentityStore(location),
    emulatorState: createProjectEmulatorState(location),
  };
  return { context, stores };
}

/**
 * What says where the stores are: flag and environment before the project's setting, which is read once. A run has one
 * store to its end, and a broadcast asks where it is for each message.
 */
function chooserOf(globals: GlobalOptions, settings: SettingsStore): Omit<StoreChoice, "caution"> {
  // A file that does not read is told of by whoever needs its keys or changes anything; `doctor` looks at what is left.
  const readSettings = (): ProjectSettings => {
    try {
      return settings.read();
    } catch {
      return {};
    }
  };
  let kept: ProjectSettings | undefined;
  const setting = (name: "store" | "query"): string | undefined => {
    const text = globals[name] ?? (kept ??= readSettings())[name];
    return text === undefined || text.trim() === "" ? undefined : text;
  };
  const address = (): string | undefined => setting("store");
  return {
    address,
    assertKnown() {
      if (globals.store === undefined) settings.read();
    },
    query() {
      const query = setting("query");
      if (query !== undefined && address() === undefined) throw queryWithoutStore();
      return query;
    },
  };
}

function queryWithoutStore(): UserError {
  return new UserError("query-without-store", "--query needs a database to ask", {
    hints: ["name it: --store postgres://user@host/database or WEBPUSH_STORE"],
  });
}

/** Most likely an unset variable: the project's files must not be taken for the database that was meant. */
function refuseEmptyStore({ store }: GlobalOptions, { env }: Host): void {
  if (store?.trim() !== "" || store === env["WEBPUSH_STORE"]) return;
  throw new UserError("store-address", "--store is empty", {
    hints: ["check the variable it comes from; leave the flag out for the project's files"],
  });
}

/** Whoever lists processes sees what stands on a command line. */
function warnOfPassword({ store }: GlobalOptions, { env }: Host, io: Io): void {
  if (store === undefined || store === env["WEBPUSH_STORE"] || !hasPassword(store)) return;
  io.err(
    `${io.paint.err.caution("warning:")} --store shows the password in process lists and shell history; set WEBPUSH_STORE or PGPASSWORD instead`,
  );
}

/** Builds the streams of one run, also used to report errors before there is a context. */
export async function openIo(
  host: Host,
  globals: Pick<GlobalOptions, "quiet" | "verbose" | "color">,
): Promise<Io> {
  const { stdout, stderr } = host;
  const paintFor = (isTerminal: boolean) =>
    isColourful({ isTerminal, wanted: globals.color, env: host.env })
      ? openColourPaint()
      : Promise.resolve(plainPaint);
  const [out, err] = await Promise.all([paintFor(host.isTerminal.out), paintFor(host.isTerminal.err)]);
  const status = globals.quiet ? absentStatusArea : statusAreaOf(host);
  const terminal = terminalOf(host);
  const asTyped = commandsAsTyped(host.env);
  const talk = (line: string): void => {
    status.makeRoom(() => stderr.write(`${wrapTalk(asTyped(line), terminal.errColumns)}\n`));
  };
  return {
    out: (line) => {
      const print = (): void => void stdout.write(`${line}\n`);
      // Two streams, one screen.
      if (host.isTerminal.out) status.makeRoom(print);
      else print();
    },
    say: (line) => {
      if (!globals.quiet) talk(line);
    },
    err: talk,
    isDetailed: globals.verbose,
    detail: (line) => {
      if (globals.verbose) talk(line);
    },
    async drained() {
      if (!("writableNeedDrain" in stdout) || stdout.writableNeedDrain !== true) return;
      // A reader that went away never drains; what became of that is for the stream's own handler.
      // Nor does one that has stopped reading: who insists on the end gets it.
      await once(stdout, "drain", { signal: host.forceSignal }).catch(() => undefined);
    },
    status,
    paint: { out, err },
    terminal,
    asTyped,
    stdin: bytesOf(() => host.stdin, host.signal),
  };
}

/** A terminal that can move its cursor, and somebody before it. */
function statusAreaOf(host: Host): SharedStatusArea {
  const isLive = host.isTerminal.err && host.env["TERM"] !== "dumb" && !isWatchedByNobody(host);
  return isLive ? createStatusArea(host.stderr) : absentStatusArea;
}

/** What CI systems show as a terminal is a log that is read later. */
function isWatchedByNobody({ env }: Host): boolean {
  return (env["CI"] ?? "") !== "";
}

function terminalOf({ isTerminal, stdout, stderr, env }: Host): Terminal {
  const said = Number(env["COLUMNS"]);
  const wanted = said > 0 ? said : undefined;
  return {
    ...isTerminal,
    columns: columnsOf(stdout) ?? wanted ?? (isTerminal.out ? defaultColumns : Number.POSITIVE_INFINITY),
    errColumns: isTerminal.err ? (columnsOf(stderr) ?? wanted ?? defaultColumns) : Number.POSITIVE_INFINITY,
  };
}

/** The bytes of stdin. A stop ends the wait for them: nobody may ever type another, or close the pipe. */
async function* bytesOf(open: () => Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stream: Readable = open();
  const stop = (): void => {
    stream.destroy(new UserError("interrupted", "interrupted", { kind: "interrupted" }));
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>)
      yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
