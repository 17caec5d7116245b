/**
 * "It was accepted, and nothing appears": what is asked, as a tree of data, and how to walk it.
 *
 * A push service's 201 says that it took the message, not that anybody sees it. What
 * lies between (the device, its settings, the worker) only the person can look at, so
 * it is asked, one thing at a time, the most frequent cause first. What the project's
 * own records answer is not asked.
 */
import type { ServiceId } from "../protocol/services.ts";
import { deviceQuestions } from "./nothing-appears/device-questions.ts";
import { pageQuestions } from "./nothing-appears/page-questions.ts";
import { verdicts } from "./nothing-appears/verdicts.ts";

/** What is to blame, and what to do. */
export interface Verdict {
  /** Permanent, part of the `--json` contract. */
  readonly id: string;
  /** What is the case: a sentence. */
  readonly what: string;
  /** What to do, in order; each an imperative sentence. */
  readonly fix: readonly string[];
}

export interface Answer {
  readonly says: string;
  /** The id of a question or a verdict. */
  readonly next: string;
  /** Push services that subscriptions of this answer have; any when absent. */
  readonly services?: readonly ServiceId[];
}

export interface Question {
  readonly id: string;
  readonly asks: string;
  readonly answers: readonly Answer[];
  /** Where to go on when the records have the answer already. */
  readonly known?: (records: Records) => string | undefined;
}

/** What is known before anything is asked. */
export interface Records {
  /** Stored subscriptions that are not marked gone. */
  readonly stored: number;
  /** Those whose last message was accepted, and those whose was not; the others were never sent one. */
  readonly accepted: number;
  readonly refused: number;
  /** The push services of those that accepted. */
  readonly services: readonly ServiceId[];
  /** The project's defaults, where it has some. */
  readonly ttlSeconds: number | undefined;
  readonly urgency: string | undefined;
}

/** The first question is where every path begins. */
export const questions: readonly Question[] = [...deviceQuestions, ...pageQuestions];

/** Asks one question; answers the chosen answer. */
export type Ask = (question: Question, answers: readonly Answer[]) => Promise<Answer>;

/** Walks the tree from its beginning to a verdict. */
export async function findVerdict(records: Records, ask: Ask): Promise<Verdict> {
  let at = nextOpen(questions[0]?.id ?? "", records);
  while ("asks" in at) {
    const answers = answersFor(at, records);
    const [only] = answers;
    const answer = answers.length === 1 && only !== undefined ? only : await ask(at, answers);
    at = nextOpen(answer.next, records);
  }
  return at;
}

/**
 * The question of that id, or what follows when the records answer it.
 *
 * @internal
 */
export function nextOpen(id: string, records: Records): Question | Verdict {
  const verdict = verdicts.find((one) => one.id === id);
  if (verdict !== undefined) return verdict;
  const question = questions.find((one) => one.id === id);
  if (question === undefined) throw new Error(`no question or verdict is called ${id}`);
  const known = question.known?.(records);
  return known === undefined ? question : nextOpen(known, records);
}

/**
 * The answers that can be true of these subscriptions; all of them when nothing is known of their services.
 *
 * @internal
 */
export function answersFor({ answers }: Question, { services }: Records): readonly Answer[] {
  if (services.length === 0 || services.includes("other")) return answers;
  const fitting = answers.filter(
    (answer) => answer.services?.some((service) => services.includes(service)) ?? true,
  );
  return fitting.length > 0 ? fitting : answers;
}
