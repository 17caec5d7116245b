/** `webpush serve` in a process of its own, with what it printed as it comes. */
import { linesOf } from "../../support/run-cli.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { startCli } from "../send/sending.ts";

export type ServeRecord = Readonly<Record<string, unknown>>;

export interface ServeCli {
  readonly origin: string;
  readonly port: number;
  readonly cwd: string;
  readonly pid: number;
  /** Standard output and standard error so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** With `--json`, its records so far. */
  readonly records: () => readonly ServeRecord[];
  /** Waits until it has printed that. */
  readonly printed: (isPrinted: (stdout: string) => boolean) => Promise<void>;
  /** With `--json`, waits for a record of this type, and of what else is said of it. */
  readonly record: (wanted: ServeRecord) => Promise<ServeRecord>;
  /** As Ctrl-C; answers the exit code and everything printed. */
  readonly stop: () => ReturnType<typeof startCli>["ended"];
}

export async function startServeCli(
  argv: readonly string[],
  cwd = tempFolder(),
  env: Readonly<Record<string, string>> = {},
): Promise<ServeCli> {
  const running = startCli(["serve", "--port", "0", ...argv], { cwd, env });
  let [text, told] = ["", ""];
  let hasEnded = false;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  running.child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    wake();
  });
  running.child.stderr.on("data", (chunk: Buffer) => {
    told += chunk.toString();
    wake();
  });
  running.child.on("close", () => {
    hasEnded = true;
    wake();
  });
  const until = (isTrue: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isTrue() && !hasEnded) return;
        waiting.delete(look);
        if (isTrue()) resolve();
        else reject(new Error(`webpush serve has ended: ${text}${told}`));
      };
      waiting.add(look);
      look();
    });
  const records = (): readonly ServeRecord[] =>
    linesOf(text.slice(0, text.lastIndexOf("\n") + 1)).map((line) => JSON.parse(line) as ServeRecord);
  await until(() => /http:\/\/localhost:\d+[^]*webpush send "Hello"\n\n/.test(told));
  const [, port = ""] = /http:\/\/localhost:(\d+)/.exec(told) ?? [];
  return {
    origin: `http://localhost:${port}`,
    port: Number(port),
    cwd,
    pid: running.pid,
    stdout: () => text,
    stderr: () => told,
    records,
    printed: (isPrinted) => until(() => isPrinted(text)),
    record: async (wanted) => {
      const find = () =>
        records().find((record) => Object.entries(wanted).every(([name, value]) => record[name] === value));
      await until(() => find() !== undefined);
      return find() ?? {};
    },
    stop: () => {
      running.child.kill("SIGINT");
      return running.ended;
    },
  };
}

/** One request as the page makes it. */
export function asPage(
  { origin }: Pick<ServeCli, "origin">,
  method: string,
  path: string,
  body: object,
): Promise<Response> {
  return fetch(origin + path, {
    method,
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify(body),
  });
}
