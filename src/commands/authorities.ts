/** The file of `--ca`: certificate authorities to trust besides the default ones. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { systemCode, UserError } from "../base/errors.ts";

/**
 * Reads a PEM file of authorities.
 *
 * @throws UserError `file-unreadable`, `ca-malformed`
 */
export function readAuthorities(file: string, cwd: string): string {
  try {
    const text = readFileSync(resolve(cwd, file), "utf8");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  } catch (error) {
    throw new UserError("file-unreadable", `cannot read ${file} (${systemCode(error) ?? "unknown error"})`, {
      hints: ["give a PEM file of certificates to --ca"],
      cause: error,
    });
  }
  throw new UserError("ca-malformed", `${file} holds no PEM certificate`, {
    hints: ["give a PEM file of certificates to --ca"],
  });
}
