/**
 * `--exec`: a person's own command, run for each message through their shell.
 *
 * The payload goes to its stdin and fields to its environment, never into the
 * command line, so nothing a sender writes is ever run.
 */
import { spawn } from "node:child_process";
import type { Environment } from "../../settings/environment.ts";

export interface ExecRequest {
  readonly command: string;
  readonly payload: Uint8Array;
  /** Set beside `env`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly env: Environment;
  readonly cwd: string;
  /** Ends the command at once. */
  readonly signal: AbortSignal;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** The longest value that is put into the environment; systems bound it. */
const maxFieldLength = 10_000;

/** Runs it and answers its exit code; 127 when it could not be started, 128 when a signal ended it. */
export function execute({
  command,
  payload,
  fields,
  env,
  cwd,
  signal,
  out,
  err,
}: ExecRequest): Promise<number> {
  const own = Object.entries(fields).map(([name, value]) => {
    return [name, value.replaceAll("\0", "").slice(0, maxFieldLength)] as const;
  });
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, cwd, env: { ...env, ...Object.fromEntries(own) }, signal });
    linesInto(child.stdout, out);
    linesInto(child.stderr, err);
    child.stdin.on("error", () => undefined); // A command that does not read its stdin is a good one, too.
    child.stdin.end(payload);
    child.on("error", () => {
      resolve(127);
    });
    child.on("close", (code) => {
      resolve(code ?? 128);
    });
  });
}

function linesInto(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
  stream.on("end", () => {
    if (rest !== "") take(rest);
  });
}
