/**
 * A database that may go away and come back while a worker runs.
 *
 * A restart of the database, a fail-over or a full disk there must not end its workers: whatever is asked of it is
 * asked again. What it says in between is told once, and once that it is back. An error that is not the database's is
 * a bug and is thrown.
 */
import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { Tell } from "./events.ts";

const firstWaitMs = 200;
const longestWaitMs = 5000;

export class DatabaseWatch {
  readonly #tell: Tell;
  readonly #now: () => number;
  #lostAt: number | undefined;
  #failures = 0;

  constructor({ tell, now }: { readonly tell: Tell; readonly now: () => number }) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Whether it answered when it was last asked. */
  get isReachable(): boolean {
    return this.#lostAt === undefined;
  }

  /** How often it failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Asks once; undefined where the database failed. */
  async try<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      const answer = await ask();
      this.#answered();
      return answer;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#failed(error);
      return undefined;
    }
  }

  /** Asks until there is an answer, or it is `until` by the worker's time; undefined then. */
  async insist<Answer>(ask: () => Promise<Answer>, until: number): Promise<Answer | undefined> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      const answer = await this.try(ask);
      if (answer !== undefined) return answer;
      const leftMs = until - this.#now();
      if (leftMs <= 0) return undefined;
      await delay(Math.min(waitMs, leftMs));
    }
  }

  #failed(error: UserError): void {
    this.#failures += 1;
    if (this.#lostAt !== undefined) return;
    this.#lostAt = this.#now();
    this.#tell({ type: "database.lost", reason: error.message });
  }

  #answered(): void {
    if (this.#lostAt === undefined) return;
    const awayMs = this.#now() - this.#lostAt;
    this.#lostAt = undefined;
    this.#tell({ type: "database.back", awayMs });
  }
}
