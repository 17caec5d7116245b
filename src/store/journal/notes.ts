/** What is noted of recipients while a broadcast runs: in the file first, in memory then. */
import type { Delivery } from "../../protocol/delivery.ts";
import type { RecordFile } from "./record-file.ts";
import { formatIntent, formatRecipient, formatResult, longestResultBytes } from "./records.ts";
import { stateAfter, type RecipientState, type RecipientStates } from "./states.ts";

/** Recipients are named by the SHA-256 of their endpoint (`fingerprintOf`). */
export interface RecipientNotes {
  /** What is known of a recipient; `sending` while a request of this run is on its way, `undefined` when none ever was. */
  stateOf(digest: Uint8Array): RecipientState | "sending" | undefined;
  /**
   * Notes that a request is about to leave. Before the result of anything in flight could find no room, it refuses.
   *
   * @throws UserError `journal-full`, `journal-unwritable`, `journal-lost`
   */
  intend(digest: Uint8Array): void;
  /**
   * Notes what became of it. There is room for that when it was intended.
   *
   * @throws UserError `journal-full`, `journal-unwritable`, `journal-lost`
   */
  record(digest: Uint8Array, outcome: Delivery["outcome"], details?: { readonly status?: number }): void;
}

export function createNotes(file: RecordFile, states: RecipientStates): RecipientNotes {
  const inFlight = new Set<string>();
  /** The room that the results of all in flight may take. */
  const room = () => inFlight.size * longestResultBytes;
  return {
    stateOf: (digest) => (inFlight.has(formatRecipient(digest)) ? "sending" : states.of(digest)),
    intend(digest) {
      const to = formatRecipient(digest);
      file.append(formatIntent(to), room() + longestResultBytes);
      inFlight.add(to);
    },
    record(digest, outcome, { status } = {}) {
      const to = formatRecipient(digest);
      const roomForOthers = inFlight.has(to) ? room() - longestResultBytes : room();
      file.append(formatResult(to, outcome, status), roomForOthers);
      inFlight.delete(to);
      states.note(digest, stateAfter(outcome));
    },
  };
}
