/** Writing secrets where a person asked for them. */
import { Buffer } from "node:buffer";
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { UserError, systemCode } from "../base/errors.ts";

/**
 * Writes a new file for its owner alone; an existing one, or a link in its place, is never written over.
 * What does not fit leaves no file: its name would be taken for the next attempt.
 *
 * @throws UserError `output-unwritable`
 */
export function writePrivateFile(name: string, content: string | Uint8Array, cwd: string): void {
  const path = resolve(cwd, name);
  const file = attempt(name, () => openSync(path, "wx", 0o600));
  try {
    attempt(name, () => {
      writeFileSync(file, content);
    });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** About as many characters are written at a time. */
const pieceLength = 65_536;

/**
 * Writes lines to such a file as they come. What comes to nothing leaves no file: neither a first line that never comes,
 * nor an end that does not.
 *
 * @throws UserError `output-unwritable`
 */
export async function writePrivateLines(
  name: string,
  lines: AsyncIterator<string>,
  cwd: string,
): Promise<void> {
  const path = resolve(cwd, name);
  let next = await lines.next();
  const file = attempt(name, () => openSync(path, "wx", 0o600));
  try {
    let piece = "";
    for (; next.done !== true; next = await lines.next()) {
      piece += `${next.value}\n`;
      if (piece.length < pieceLength) continue;
      const full = piece;
      attempt(name, () => {
        writeAll(file, full);
      });
      piece = "";
    }
    attempt(name, () => {
      writeAll(file, piece);
    });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** A single write may take a part only. */
function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}

function attempt<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new UserError(
      "output-unwritable",
      `cannot write ${name} (${systemCode(error) ?? "unknown error"})`,
      {
        kind: "failed",
        hints: [hintFor(systemCode(error))],
        cause: error,
      },
    );
  }
}

function hintFor(code: string | undefined): string {
  switch (code) {
    case "EEXIST":
      return "remove it first, or choose another name";
    case "ENOSPC":
    case "EDQUOT":
      return "free some disk space, or choose another place";
    default:
      return "check the folder and its permissions";
  }
}
