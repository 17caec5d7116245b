/** Writing secrets where a person asked for them. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { UserError, systemCode } from "../base/errors.ts";

/**
 * Writes a new file for its owner alone; an existing one, or a link in its place, is never written over.
 *
 * @throws UserError `output-unwritable`
 */
export function writePrivateFile(name: string, content: string | Uint8Array, cwd: string): void {
  try {
    writeFileSync(resolve(cwd, name), content, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const isThere = systemCode(error) === "EEXIST";
    throw new UserError(
      "output-unwritable",
      `cannot write ${name} (${systemCode(error) ?? "unknown error"})`,
      {
        kind: "failed",
        hints: [isThere ? "remove it first, or choose another name" : "check the folder and its permissions"],
        cause: error,
      },
    );
  }
}
