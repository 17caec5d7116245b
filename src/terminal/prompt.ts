/**
 * Questions at a terminal, with inquirer behind them.
 *
 * Questions are drawn on stderr, because stdout is data. Where nobody can answer
 * (no terminal, CI, `--no-input`) `Prompt.available` is false and asking is a bug
 * of ours: the command must have said which flag is missing instead.
 */
import { UserError } from "../base/errors.ts";

/** What can be asked of the person at the terminal. */
export interface Prompt {
  /** Whether somebody is there to answer. */
  readonly available: boolean;
  confirm(question: string, fallback: boolean): Promise<boolean>;
  /** Asks until `parse` accepts; its UserError is shown and the question asked again. */
  input<Value>(question: string, parse: (text: string) => Value, fallback?: string): Promise<Value>;
  select<Value>(question: string, choices: readonly Choice<Value>[]): Promise<Value>;
}

export interface Choice<Value> {
  readonly name: string;
  readonly value: Value;
  readonly description?: string;
}

export interface PromptStreams {
  /** Opened at the first question. */
  readonly input: () => NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** A prompt that asks on the given streams; inquirer is loaded at the first question. */
export function createPrompt({ input, output, signal }: PromptStreams): Prompt {
  const ask = async <Value>(question: Record<string, unknown>): Promise<Value> => {
    const { default: inquirer } = await import("inquirer");
    const terminal = input();
    const left = new AbortController();
    const leave = (): void => {
      left.abort();
    };
    // Ctrl-D, or a terminal that goes away, closes inquirer's readline, which pauses its input and settles
    // nothing: the program would end in the middle of a question, as if all had gone well.
    terminal.once("pause", leave).once("end", leave);
    const prompt = inquirer.createPromptModule({
      input: terminal,
      output,
      signal: AbortSignal.any([signal, left.signal]),
    });
    try {
      // inquirer derives the answer's type from literal questions; ours come from the callers below, which know it.
      const questions = [{ ...question, name: "answer" }] as unknown as Parameters<typeof prompt>[0];
      const answers: unknown = await prompt(questions);
      return (answers as { answer: Value }).answer;
    } catch (error) {
      throw isAbandoned(error) ? new UserError("interrupted", "interrupted", { kind: "interrupted" }) : error;
    } finally {
      terminal.off("pause", leave).off("end", leave);
    }
  };
  return {
    available: true,
    confirm: (message, fallback) => ask({ type: "confirm", message, default: fallback }),
    async input(message, parse, fallback) {
      const text = await ask<string>({
        type: "input",
        message,
        ...(fallback === undefined ? {} : { default: fallback }),
        validate: (answer: string) => whyRefused(parse, answer),
      });
      return parse(text);
    },
    select: (message, choices) => ask({ type: "select", message, choices: [...choices] }),
  };
}

/** The prompt of a run that nobody watches. */
export const absentPrompt: Prompt = {
  available: false,
  confirm: refuseToAsk,
  input: refuseToAsk,
  select: refuseToAsk,
};

function refuseToAsk(question: string): never {
  throw new Error(`asked "${question}" where nobody can answer`);
}

function whyRefused(parse: (text: string) => unknown, answer: string): true | string {
  try {
    parse(answer);
    return true;
  } catch (error) {
    if (error instanceof UserError) return [error.message, ...error.hints].join("; ");
    throw error;
  }
}

/** Ctrl-C at a question, or the run's own signal. */
function isAbandoned(error: unknown): boolean {
  return error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError");
}
