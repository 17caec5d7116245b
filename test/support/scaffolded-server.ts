/** A push server as `webpush scaffold --server` writes it, run as its owner would; our node_modules stand in for its own. */
import { spawn } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { ServerKind } from "../../src/scaffold/answers.ts";
import { runMain, type CliRun } from "./run-cli.ts";
import { tempFolder } from "./temp-folder.ts";

type Variables = Readonly<Record<string, string>>;

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** A project with keys, the scaffolded page and its server. */
export async function scaffoldServer(kind: ServerKind) {
  const cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  const written = await runMain(["scaffold", "--yes", "--server", kind], { cwd });
  if (written.exitCode !== 0) throw new Error(written.stderr);
  const home = join(cwd, "server");
  symlinkSync(modules, join(home, "node_modules"), "junction");
  return {
    cwd,
    home,
    database: join(home, "data/webpush.db"),
    /** Writes `.env` with the project's keys of today, and more; answers the keys. */
    configure: async (more: Variables): Promise<Variables> => {
      const { stdout } = await runMain(["keys", "export", "--format", "env"], { cwd });
      writeFileSync(join(home, ".env"), `${stdout}${linesOf(more)}`);
      return Object.fromEntries(
        stdout
          .trim()
          .split("\n")
          .map((line) => line.split("=") as [string, string]),
      );
    },
  };
}

function linesOf(variables: Variables): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** Runs a script of the server to its end. */
export async function runScript(home: string, argv: readonly string[], env: Variables = {}): Promise<CliRun> {
  return startNode(home, argv, env).ended;
}

/** Starts the server; its log lines are records. */
export async function startServer(home: string, env: Variables) {
  const node = startNode(home, ["server.js"], env);
  const records = () =>
    node
      .stdout()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  /** Waits until there are `count` lines of an event. */
  const logged = async (event: string, count = 1) => {
    for (;;) {
      const found = records().filter((record) => record["event"] === event);
      if (found.length >= count) return found[count - 1] ?? {};
      await node.more();
    }
  };
  const { port } = await logged("listening");
  return {
    port: String(port),
    origin: `http://localhost:${String(port)}`,
    logged,
    stop: () => {
      node.child.kill("SIGTERM");
      return node.ended;
    },
  };
}

function startNode(home: string, argv: readonly string[], env: Variables) {
  const child = spawn(process.execPath, argv, {
    cwd: home,
    env: { PATH: process.env["PATH"], ...env },
    stdio: "pipe",
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let [stdout, stderr, hasEnded] = ["", "", false];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
    waiting.clear();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    wake();
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<CliRun>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => {
      hasEnded = true;
      wake();
      resolve({ exitCode, stdout, stderr });
    });
  });
  return {
    child,
    ended,
    stdout: () => stdout,
    /** Waits for more output; fails when there can be none. */
    async more(): Promise<void> {
      if (!hasEnded) await new Promise<void>((resolve) => waiting.add(resolve));
      if (hasEnded) throw new Error(`${argv.join(" ")} has ended: ${stdout}${stderr}`);
    },
  };
}
