/** What a journal knows of each recipient, in a few bytes each. */
import { FingerprintSet } from "../../base/fingerprint-set.ts";

/**
 * What became of a recipient.
 *
 * - `accepted`, `gone`: settled, nothing is sent to it any more
 * - `again`: it did not get the message, for a reason that may have passed
 * - `ambiguous`: a request left, and whether it was processed nobody knows (PROTOCOL.md §7.3)
 */
export type RecipientState = "accepted" | "gone" | "again" | "ambiguous";

const states: readonly RecipientState[] = ["accepted", "gone", "again", "ambiguous"];

export class RecipientStates {
  readonly #marks = new FingerprintSet();
  readonly #counts: Record<RecipientState, number> = { accepted: 0, gone: 0, again: 0, ambiguous: 0 };

  of(digest: Uint8Array): RecipientState | undefined {
    return states[this.#marks.markOf(digest) - 1];
  }

  /** Takes in what became of a recipient. What is settled stays settled: nothing accepted is sent twice. */
  note(digest: Uint8Array, state: RecipientState): void {
    const before = this.of(digest);
    if (before === "accepted" || (before === "gone" && state !== "accepted")) return;
    if (before !== undefined) this.#counts[before] -= 1;
    this.#counts[state] += 1;
    this.#marks.mark(digest, states.indexOf(state) + 1);
  }

  /** How many recipients are in each state. */
  get counts(): Readonly<Record<RecipientState, number>> {
    return { ...this.#counts };
  }
}

/** The state that an outcome, as it stands in a journal, leaves a recipient in. */
export function stateAfter(outcome: string): RecipientState {
  return outcome === "accepted" || outcome === "gone" || outcome === "ambiguous" ? outcome : "again";
}
