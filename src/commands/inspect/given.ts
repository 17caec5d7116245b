/** The thing to be inspected: the argument itself, the file it names, or what is piped in. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import type { Context } from "../context.ts";
import { readInput } from "../input.ts";
import type { InspectOptions } from "./command.ts";

type Needs = Pick<Context, "io" | "cwd">;

/** A HAR file of a long session; whatever is longer is some other file. */
const mostBytes = 32 * 1024 * 1024;

/** What was given, and whether it stood on the command line for everybody to see. */
export interface Given {
  readonly bytes: Uint8Array;
  readonly isArgument: boolean;
}

/**
 * Reads it.
 *
 * @throws UserError `inspect-unknown` when nothing was given, and those of the reader
 */
export async function readGiven({ thing }: Pick<InspectOptions, "thing">, context: Needs): Promise<Given> {
  if (thing?.trim() === "" || (thing === undefined && context.io.terminal.in)) {
    throw new UserError("inspect-unknown", "there is nothing to inspect", {
      hints: ["name a file, give the thing itself in quotation marks, or pipe it in"],
    });
  }
  if (thing === undefined || thing === "-") return piped(context);
  if (isThere(thing, context))
    return { bytes: await readInput(thing, context, mostBytes), isArgument: false };
  if (/^\.{0,2}\/|\.(?:json|ndjson|har|pem|der|txt|env|bin|sh)$/i.test(thing) && !/[\s{]/.test(thing)) {
    throw new UserError("file-unreadable", `cannot read ${thing} (ENOENT)`, {
      hints: ["check the name; - reads stdin"],
    });
  }
  return { bytes: Buffer.from(thing), isArgument: true };
}

async function piped(context: Needs): Promise<Given> {
  return { bytes: await readInput("-", context, mostBytes), isArgument: false };
}

function isThere(thing: string, { cwd }: Needs): boolean {
  if (thing.length > 4096 || thing.includes("\0")) return false;
  try {
    return statSync(resolve(cwd, thing), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // too long for a name, or below a file: then it is the thing itself
  }
}
