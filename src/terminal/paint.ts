/**
 * Colours by meaning, with chalk behind them.
 *
 * Without colour nothing of chalk is loaded: a pipe, `NO_COLOR` or `--json` should
 * not pay for it at start-up. No message may depend on colour to be understood.
 */

type Style = (text: string) => string;

/** What text can mean; each is a style of one output stream. */
export interface Paint {
  readonly bold: Style;
  readonly dim: Style;
  readonly good: Style;
  readonly bad: Style;
  readonly caution: Style;
  readonly hint: Style;
}

const same: Style = (text) => text;

/** Paint that leaves text as it is. */
export const plainPaint: Paint = { bold: same, dim: same, good: same, bad: same, caution: same, hint: same };

/** Paint of a terminal that shows colours; the sixteen basic ones, which follow the person's own theme. */
export async function openColourPaint(): Promise<Paint> {
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level: 1 });
  return {
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    caution: (text) => chalk.yellow(text),
    hint: (text) => chalk.cyan(text),
  };
}

export interface ColourQuestion {
  readonly isTerminal: boolean;
  /** False when `--no-color` was given. */
  readonly wanted: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether a stream gets colours: no-color.org, `FORCE_COLOR`, dumb terminals, and `--no-color` above all. */
export function isColourful({ isTerminal, wanted, env }: ColourQuestion): boolean {
  if (!wanted || (env["NO_COLOR"] ?? "") !== "") return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return isTerminal && env["TERM"] !== "dumb";
}
