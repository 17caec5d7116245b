/**
 * The process: streams, signals and the exit code. Nothing else names them.
 */
import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import type { ExitCode } from "../commands/exit-code.ts";
import type { About } from "./main.ts";

function readAbout(): About {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version, bugs } = JSON.parse(text) as { version: string; bugs: { url: string } };
  return { version, bugsUrl: bugs.url };
}

/**
 * A reader that goes away (`| head`) has what it wanted: the rest is not written, and
 * the work is finished all the same. Any other failure of output, such as a full disk,
 * stops the run as a Ctrl-C does: what cannot be recorded is not begun.
 */
function surviveBrokenOutput(stop: () => void): void {
  let hasFailed = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE" || hasFailed) return;
      hasFailed = true;
      process.stderr.write(`error: cannot write output (${error.code ?? error.message})\n`);
      // It may come when the run has already said how it ended.
      process.once("exit", () => {
        process.exitCode = 1;
      });
      stop();
    });
  }
}

/** How long what is in flight may take to end after the first Ctrl-C: requests, and programs that `listen --exec` runs. */
const drainMs = 10_000;

/** How long a run that was insisted on may take to end; then it ends as it stands, by the signal itself. */
const lastMs = 2000;

/**
 * The first Ctrl-C asks to stop; the second, or ten seconds, insists. What does not listen even then waits for
 * something that never comes, such as a writer of a named pipe: `process.exit` would wait for that as well.
 */
function listenForInterrupts(): { signal: AbortSignal; forceSignal: AbortSignal; stop: () => void } {
  const [stop, force] = [new AbortController(), new AbortController()];
  const insist = (name: NodeJS.Signals): void => {
    force.abort();
    setTimeout(() => {
      process.removeAllListeners(name);
      process.kill(process.pid, name);
    }, lastMs).unref();
  };
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) insist(name);
    stop.abort();
    setTimeout(insist, drainMs, name).unref();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: stop.signal,
    forceSignal: force.signal,
    stop: () => {
      stop.abort();
    },
  };
}

/** The working directory, or one line about it when it was deleted under us. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    process.stderr.write("error: the current folder is gone\nhint: change to one that exists\n");
    process.exit(1);
  }
}

async function run(): Promise<ExitCode> {
  const { signal, forceSignal, stop } = listenForInterrupts();
  surviveBrokenOutput(stop);
  const argv = process.argv.slice(2);
  const about = readAbout();
  // Asked for by every installer and CI log: not worth loading the command line for.
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    process.stdout.write(`${about.version}\n`);
    return 0;
  }
  const { main } = await import("./main.ts");
  let stdin: typeof process.stdin | undefined;
  const exitCode = await main(
    {
      argv,
      env: process.env,
      cwd: currentFolder(),
      // A getter: opening stdin costs a few milliseconds, and most commands never read it.
      get stdin() {
        return (stdin ??= process.stdin);
      },
      stdout: process.stdout,
      stderr: process.stderr,
      isTerminal: { in: isatty(0), out: isatty(1), err: isatty(2) },
      nodeVersion: process.versions.node,
      platform: `node ${process.version}, ${process.platform} ${process.arch}`,
      signal,
      forceSignal,
    },
    about,
  );
  // A run that ended before its input did waits for no more of it.
  stdin?.destroy();
  // Nor for a reader of its output that has stopped reading, once somebody insisted on the end.
  if (forceSignal.aborted) process.exit(exitCode);
  return exitCode;
}

// http_ece prints every key it derives when this is set; no environment may make us do that.
delete process.env["ECE_KEYLOG"];
// Until the run says otherwise: should it ever be left with nothing to wait for, that is no success.
process.exitCode = 1;
process.exitCode = await run();
