/**
 * Environment variables as twins of flags: `--ttl 600` is `WEBPUSH_TTL=600`.
 *
 * The twin of a flag is found by rule, not by list, so no flag can lack one.
 */
import { UserError } from "../base/errors.ts";

/** Environment of a run; undefined for what is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that stands for a flag: `--no-prune` is `WEBPUSH_NO_PRUNE`. */
export function twinOf(longFlag: string): string {
  return `WEBPUSH_${longFlag.replace(/^--/, "").replaceAll("-", "_").toUpperCase()}`;
}

const yes = new Set(["1", "true", "yes", "on"]);
const no = new Set(["", "0", "false", "no", "off"]);

/**
 * Reads a yes-or-no variable.
 *
 * @throws UserError `environment`
 */
export function parseSwitch(variable: string, text: string): boolean {
  const word = text.trim().toLowerCase();
  if (yes.has(word)) return true;
  if (no.has(word)) return false;
  throw new UserError("environment", `${variable} cannot be ${JSON.stringify(text)}`, {
    hints: ["use 1 or 0"],
  });
}

/** A variable that is set to something; an empty one counts as unset, as CI systems leave them. */
export function variable(env: Environment, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}
