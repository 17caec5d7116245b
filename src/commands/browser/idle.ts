/** Flags about a browser, given where none is to be opened: most likely the one that opens it was forgotten. */
import type { Io } from "../../terminal/io.ts";

export interface BrowserFlags {
  readonly headless: boolean;
  readonly executable: string | undefined;
}

/** Warns that the flags do nothing without `opener`, if any was given. */
export function warnOfIdleFlags(
  { headless, executable }: BrowserFlags,
  opener: string,
  { err, paint }: Pick<Io, "err" | "paint">,
): void {
  const given = [...(headless ? ["--headless"] : []), ...(executable === undefined ? [] : ["--executable"])];
  if (given.length === 0) return;
  const verb = given.length === 1 ? "does" : "do";
  err(`${paint.err.caution("warning:")} ${given.join(" and ")} ${verb} nothing without ${opener}`);
}
