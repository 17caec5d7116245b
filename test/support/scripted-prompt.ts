/**
 * A person at the terminal who answers exactly the questions a test expects.
 *
 * A question that no answer was written for fails the test, and so does an answer
 * that nobody asked for.
 */
import { expect, onTestFinished } from "vitest";
import { absentPrompt, type Prompt } from "../../src/terminal/prompt.ts";

/** A question that must contain `asked`, and what is answered: yes or no, a text, or the name of a choice. */
export interface ScriptedAnswer {
  readonly asked: string;
  readonly answer: string | boolean;
}

/** A prompt that gives `answers` in order; nobody is there when there is no script. */
export function scriptedPrompt(answers: readonly ScriptedAnswer[] | undefined): Prompt {
  if (answers === undefined) return absentPrompt;
  const left = [...answers];
  const answerTo = (question: string, kind: "string" | "boolean"): string | boolean => {
    const next = left.shift();
    if (next === undefined) throw new Error(`unexpected question: ${question}`);
    expect(question).toContain(next.asked);
    expect(typeof next.answer, `the answer to: ${question}`).toBe(kind);
    return next.answer;
  };
  onTestFinished(() => {
    expect(left, "answers that nobody asked for").toEqual([]);
  });
  return {
    available: true,
    confirm: (question) => Promise.resolve(answerTo(question, "boolean") === true),
    input: (question, parse) => Promise.resolve(parse(String(answerTo(question, "string")))),
    select: (question, choices) => {
      const name = answerTo(question, "string");
      const choice = choices.find((candidate) => candidate.name === name);
      if (choice === undefined) throw new Error(`no choice ${String(name)} in: ${question}`);
      return Promise.resolve(choice.value);
    },
  };
}
