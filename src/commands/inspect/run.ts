/** `webpush inspect`: what it is, what is known of it, what is wrong with it. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import { inspect } from "../../inspection/inspect.ts";
import type { Inspection, Surroundings } from "../../inspection/inspection.ts";
import { keyRingOf } from "../key-ring.ts";
import { printable } from "../../terminal/printable.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { readInput } from "../input.ts";
import type { InspectOptions } from "./command.ts";
import { readGiven, type Given } from "./given.ts";
import { receiversOf } from "./receivers.ts";
import { inspectionJson, inspectionText } from "./render.ts";

type Needs = Pick<Context, "io" | "config" | "env" | "clock" | "random" | "cwd" | "json" | "receivers">;

/** A body file that a curl command names. */
const mostBodyBytes = 1024 * 1024;

export async function run(options: InspectOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  const given = await readGiven(options, context);
  const inspections = await inspect(given.bytes, options.as, await surroundingsOf(options, context));
  for (const [index, inspection] of inspections.entries()) {
    if (json) io.out(inspectionJson(inspection));
    else {
      if (index > 0) io.out("");
      for (const line of inspectionText(inspection, io)) io.out(line);
    }
  }
  warnOfHistory(given, inspections, io);
  const isWrong = inspections.some(({ judgements }) => judgements.some(({ level }) => level === "problem"));
  return isWrong ? ExitCode.failed : ExitCode.ok;
}

async function surroundingsOf(options: InspectOptions, context: Needs): Promise<Surroundings> {
  const { clock, random } = context;
  const ring = await keyRingOf(context);
  return {
    clock,
    random,
    keys: ring.pairs.map(({ publicKey }) => ({
      publicKey,
      isCurrent: publicKey === ring.current?.publicKey,
    })),
    receivers: await receiversOf(options, context),
    endpoint: options.for,
    key: options.key,
    reveal: options.reveal,
    readFile: (name) => readBody(name, context),
  };
}

/** The file that a curl command posts; whatever is no file could be waited for without end. */
async function readBody(name: string, context: Needs): Promise<Uint8Array> {
  if (name !== "-" && mayBeFile(resolve(context.cwd, name))) return readInput(name, context, mostBodyBytes);
  const what = name === "-" ? "stdin" : printable(name);
  throw new UserError(
    "inspect-unreadable",
    `the curl command takes its body from ${what}, which is no file`,
    {
      hints: ["name a file that holds the body: --data-binary @FILE"],
    },
  );
}

/** Whether it is a file, or nothing, which the reader tells; a name that no file can have is none. */
function mayBeFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() !== false;
  } catch {
    return false;
  }
}

/** What stands on a command line is seen in process lists, and kept in the shell's history. */
function warnOfHistory({ isArgument }: Given, inspections: readonly Inspection[], io: Needs["io"]): void {
  const secrets = inspections.filter(({ kind, facts }) => {
    return kind === "subscription" || kind === "token" || facts.some(({ name }) => name === "privateKey");
  });
  if (!isArgument || secrets.length === 0) return;
  io.err(
    `${io.paint.err.caution("note:")} it is in your shell's history now; webpush inspect - reads it from a pipe`,
  );
}
