/**
 * The built program at a terminal of its own, with keys that can be pressed: `script` of util-linux makes the terminal.
 */
import { spawn, spawnSync } from "node:child_process";
import { onTestFinished } from "vitest";
import type { Environment } from "../../src/settings/environment.ts";
import { FakeTerminal } from "./fake-terminal.ts";
import { binary } from "./run-cli.ts";

/** Whether there is a `script` that takes the flags we give it; those of BSD and busybox do not. */
export const hasPseudoTerminals = String(spawnSync("script", ["--version"]).stdout).includes("util-linux");

export interface AtTerminal {
  /** Resolves when the terminal has been sent `text`. */
  readonly shown: (text: string) => Promise<void>;
  /** Types `keys`; "\u0003" is Ctrl-C. */
  readonly type: (keys: string) => void;
  /** What is on the screen when the program has ended. */
  readonly ended: Promise<{
    readonly exitCode: number | null;
    /** Everything it was sent; of use where questions move the cursor about, which the fake terminal does not do. */
    readonly output: string;
    readonly screen: FakeTerminal;
  }>;
}

export interface TerminalOptions {
  readonly cwd: string;
  readonly columns?: number;
  readonly env?: Environment;
}

/** Starts `webpush …argv`, without colours. */
export function startAtTerminal(
  argv: readonly string[],
  { cwd, columns = 80, env = {} }: TerminalOptions,
): AtTerminal {
  const words = [process.execPath, binary, ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const command = `stty columns ${columns} rows 24; exec ${words.join(" ")}`;
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", command, "/dev/null"], {
    cwd,
    env: { PATH: process.env["PATH"], SHELL: "/bin/sh", TERM: "xterm", NO_COLOR: "1", ...env },
    stdio: "pipe",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  let noticed: () => void = () => undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
    noticed();
  });
  return {
    type: (keys) => void child.stdin.write(keys),
    shown: async (text) => {
      while (!output.includes(text)) {
        await new Promise<void>((resolve) => {
          noticed = resolve;
        });
      }
    },
    ended: new Promise((resolve, reject) => {
      child.once("error", reject).once("close", (exitCode) => {
        resolve({
          exitCode,
          output,
          get screen() {
            const screen = new FakeTerminal({ columns });
            screen.write(output);
            return screen;
          },
        });
      });
    }),
  };
}
