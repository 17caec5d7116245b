/**
 * A browser's processes: the first one and all it starts, which end together.
 *
 * It leads a process group of its own, so that a Ctrl-C in the terminal reaches us
 * alone and the browser is ended in good order, and so that none of its children
 * is left behind when it has to be killed.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { platform } from "node:os";
import { geteuid, kill } from "node:process";
import { UserError, systemCode } from "../base/errors.ts";
import type { BrowserEnvironment, BrowserExit } from "./browser.ts";

export interface BrowserProcess {
  readonly pid: number;
  readonly exited: Promise<BrowserExit>;
  /** The last it said on stderr. */
  lastWords(): readonly string[];
  /** Ends it and waits until it has ended. */
  end(): Promise<void>;
}

export interface ProcessOptions {
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: BrowserEnvironment;
  /** How long it may take to end when asked; then it is killed. */
  readonly graceMs?: number;
}

const defaultGraceMs = 5000;
const lastWordsMs = 300;
const keptCharacters = 4000;
const keptLines = 5;

/**
 * Starts a program.
 *
 * @throws UserError `browser-start`
 */
export async function startProcess(options: ProcessOptions): Promise<BrowserProcess> {
  const { executable, args, env, graceMs = defaultGraceMs } = options;
  const hasGroup = platform() !== "win32";
  const child = spawn(executable, args, { env, detached: hasGroup, stdio: ["ignore", "ignore", "pipe"] });
  const pid = await started(child, executable);
  const tail = keepTail(child);

  let isOurs = false;
  const gone = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const exited = gone.then(async (code): Promise<BrowserExit> => {
    await allSaid(child);
    // Its window closed, or closed by us; everything else was not meant.
    return { code, why: code === 0 || isOurs ? "closed" : "crashed", lastWords: tail() };
  });
  const signalAll = (signal: "SIGTERM" | "SIGKILL") => {
    if (!hasGroup) child.kill(signal);
    else signalGroup(pid, signal);
  };
  const end = async () => {
    isOurs = true;
    signalAll("SIGTERM");
    const timer = setTimeout(() => {
      signalAll("SIGKILL");
    }, graceMs);
    await gone;
    clearTimeout(timer);
    // Children that outlive the first process have nothing left to do.
    if (hasGroup) signalGroup(pid, "SIGKILL");
    await exited;
  };
  return { pid, exited, lastWords: tail, end };
}

function started(child: ChildProcess, executable: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      reject(
        new UserError("browser-start", `${executable} cannot be started: ${systemCode(error) ?? ""}`, {
          kind: "failed",
          hints: ["name another browser with --browser PATH"],
          cause: error,
        }),
      );
    });
    child.once("spawn", () => {
      child.on("error", () => undefined); // A signal that could not be sent; the exit is what counts.
      resolve(child.pid ?? 0);
    });
  });
}

/** Reads all that is said, so that the browser never waits for a reader, and keeps the end of it. */
function keepTail(child: ChildProcess): () => readonly string[] {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => {
    text = (text + more).slice(-keptCharacters);
  });
  return () =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .slice(-keptLines);
}

/** Resolves when stderr has been read to its end, which a child that lives on may keep open. */
function allSaid(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, lastWordsMs);
    child.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    kill(-pid, signal);
  } catch (error) {
    // Nobody is left in the group.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

/** Whether we are root, for whom Chromium has no sandbox. */
export function isRootUser(): boolean {
  return geteuid?.() === 0;
}
