/** Reading what a person named: a file, or `-` for stdin. */
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { UserError, systemCode } from "../base/errors.ts";
import { printable } from "../terminal/printable.ts";
import { redact } from "../terminal/redact.ts";
import type { Context } from "./context.ts";

const reminderMs = 3000;

/**
 * The bytes of a file, or of stdin for `-`.
 *
 * @throws UserError `file-unreadable`, `input-too-large`
 */
export async function readInput(
  file: string,
  context: Pick<Context, "io" | "cwd">,
  limitBytes: number,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of openInput(file, context)) {
    length += chunk.length;
    if (length > limitBytes) throw tooLarge(file, limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The bytes of a file or stdin as they come.
 *
 * @throws UserError `file-unreadable`
 */
export async function* openInput(
  file: string,
  { io, cwd }: Pick<Context, "io" | "cwd">,
): AsyncGenerator<Uint8Array> {
  if (file === "-" && io.terminal.in)
    io.say("reading from the terminal; end with Ctrl-D on a line of its own");
  // A pipe, named or not, that somebody forgot to close would otherwise look like a hang.
  const reminder = setTimeout(() => {
    io.say(file === "-" ? "waiting for stdin to end…" : `waiting for ${printable(redact(file))}…`);
  }, reminderMs);
  try {
    for await (const chunk of file === "-" ? io.stdin : bytesOf(resolve(cwd, file), file)) {
      clearTimeout(reminder);
      yield chunk;
    }
  } finally {
    clearTimeout(reminder);
  }
}

async function* bytesOf(path: string, shown: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const isMissing = systemCode(error) === "ENOENT";
    throw new UserError(
      "file-unreadable",
      `cannot read ${redact(shown)} (${systemCode(error) ?? "unknown error"})`,
      {
        hints: [isMissing ? "check the name; - reads stdin" : "check that it is a file you may read"],
        cause: error,
      },
    );
  }
}

/** Lines of a byte stream, decoded as UTF-8, without their ends. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Joined once a line ends: some are megabytes long, and arrive in thousands of chunks.
  let begun: string[] = [];
  for await (const chunk of chunks) {
    const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
    begun.push(first);
    for (const next of others) {
      yield withoutReturn(begun.join(""));
      begun = [next];
    }
  }
  begun.push(decoder.decode());
  const rest = begun.join("");
  if (rest !== "") yield rest;
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function tooLarge(file: string, limitBytes: number): UserError {
  const name = file === "-" ? "stdin" : file;
  return new UserError("input-too-large", `${name} is longer than ${limitBytes} bytes`, {
    hints: ["check that it is the file you mean"],
  });
}
