/**
 * The whole command line under test: in this process, or as a person starts it.
 *
 * `runMain` takes milliseconds and is the default; `spawnCli` is for what only a
 * process has: pipes, signals, start-up. Both start from an empty environment and
 * a folder of their own.
 */
import { spawn } from "node:child_process";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { main } from "../../src/cli/main.ts";
import type { Environment } from "../../src/settings/environment.ts";
import { tempFolder } from "./temp-folder.ts";

/** Each message is sent once, unless a test is about sending again: waiting for that takes seconds. */
export const withoutRetries: Environment = { WEBPUSH_RETRIES: "0" };

/** The program's version in `runMain`. */
const testVersion = "1.2.3";

export interface CliRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MainOptions {
  readonly env?: Environment;
  /** What is piped in; without it stdin is a terminal where nothing is typed. */
  readonly stdin?: string | Uint8Array | Readable;
  readonly cwd?: string;
  /** Whether stdout and stderr are terminals, and how wide. */
  readonly tty?: boolean;
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

/** Runs `webpush …argv` in this process. */
export async function runMain(argv: readonly string[], options: MainOptions = {}): Promise<CliRun> {
  const { tty = false, columns } = options;
  const [stdout, stderr] = [new Collector(columns), new Collector(columns)];
  const never = new AbortController().signal;
  const exitCode = await main(
    {
      argv,
      env: { ...withoutRetries, ...options.env },
      cwd: options.cwd ?? tempFolder(),
      stdin: streamOf(options.stdin),
      stdout,
      stderr,
      isTerminal: { in: options.stdin === undefined, out: tty, err: tty },
      nodeVersion: "24.3.0",
      platform: "node v20.0.0, linux x64",
      signal: options.signal ?? never,
      forceSignal: never,
    },
    { version: testVersion, bugsUrl: "https://bugs.example.net/new" },
  );
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

function streamOf(stdin: MainOptions["stdin"]): Readable {
  if (stdin instanceof Readable) return stdin;
  return Readable.from(stdin === undefined ? [] : [Buffer.from(stdin)]);
}

/** Runs `webpush …argv` in this process and answers stdout's lines as JSON records. */
export async function runJson(
  argv: readonly string[],
  options: MainOptions = {},
): Promise<CliRun & { readonly records: readonly unknown[] }> {
  const ran = await runMain([...argv, "--json"], options);
  return { ...ran, records: linesOf(ran.stdout).map((line) => JSON.parse(line) as unknown) };
}

/** The lines of what was printed, the last line break left out. */
export function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

class Collector extends Writable {
  text = "";
  /** As Node marks the process's own streams: a pipe that ends does not end them. */
  readonly _isStdio = true;
  readonly columns?: number;

  constructor(columns: number | undefined) {
    super({ decodeStrings: false });
    if (columns !== undefined) this.columns = columns;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** The built program. `npm test` builds it before it runs any test. */
export const binary = fileURLToPath(new URL("../../bin/webpush.js", import.meta.url));

export interface SpawnOptions {
  readonly env?: Environment;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
}

/** Runs `node bin/webpush.js …argv` and waits for its end. */
export function spawnCli(argv: readonly string[], options: SpawnOptions = {}): Promise<CliRun> {
  return spawnProgram(process.execPath, [binary, ...argv], options);
}

/** Runs a shell script in which `webpush` is the built program. */
export function spawnShell(script: string, options: SpawnOptions = {}): Promise<CliRun> {
  const definition = `webpush() { ${JSON.stringify(process.execPath)} ${JSON.stringify(binary)} "$@"; }`;
  return spawnProgram("bash", ["-c", `${definition}\n${script}`], options);
}

async function spawnProgram(
  command: string,
  argv: readonly string[],
  { env = {}, stdin, cwd = tempFolder() }: SpawnOptions,
): Promise<CliRun> {
  const child = spawn(command, argv, {
    cwd,
    env: { PATH: process.env["PATH"], ...withoutRetries, ...env },
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => undefined); // A program that ends without reading is no failure here.
  child.stdin?.end(stdin);
  const [stdout, stderr, exitCode] = await Promise.all([
    textOf(child.stdout ?? Readable.from([])),
    textOf(child.stderr ?? Readable.from([])),
    new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve)),
  ]);
  return { exitCode, stdout, stderr };
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
