/**
 * What an existing journal says, and where to go on writing.
 *
 * A run that was killed in the middle of a write leaves its last line torn; that line
 * is dropped. Damage with whole lines behind it is another matter: somebody or some
 * disk has been at the file, and what the line said is unknown.
 */
import type { FileHandle } from "node:fs/promises";
import { foreignFile, otherVersion } from "./errors.ts";
import { visitLines } from "./lines.ts";
import { parseRecord, signature, type Header, type RecipientRecord } from "./records.ts";
import { stateAfter, type RecipientStates } from "./states.ts";

export interface Reading {
  /** The last one there is; `undefined` when the file is empty, or its first line is all there was and torn. */
  readonly header: Header | undefined;
  /** Where the last whole record ends; what stands behind it is worth nothing. */
  readonly end: number;
  /** False when the last whole record lacks its line break. */
  readonly isEnded: boolean;
  /** Damaged lines that are not the last one: which is the first of them, and how many there are. */
  readonly damage: { readonly line: number; readonly count: number } | undefined;
}

/**
 * Reads a journal from beginning to end, and notes what became of each recipient.
 *
 * @throws UserError `journal-foreign`, `journal-version`
 */
export async function readJournal(
  handle: FileHandle,
  path: string,
  { states, signal }: { readonly states: RecipientStates; readonly signal: AbortSignal | undefined },
): Promise<Reading> {
  let header: Header | undefined;
  let [end, isEnded] = [0, true];
  let damage: { line: number; count: number } | undefined;
  /** The number of a damaged line behind which nothing has been seen yet. */
  let torn: number | undefined;
  let isFirst = true;

  const noteDamage = () => {
    if (torn !== undefined) damage = { line: damage?.line ?? torn, count: (damage?.count ?? 0) + 1 };
    torn = undefined;
  };
  await visitLines(
    handle,
    (bytes, place) => {
      noteDamage();
      if (isFirst && !isOurs(bytes, place.isEnded)) throw foreignFile(path);
      isFirst = false;
      const record = parseRecord(bytes);
      if (record === undefined) {
        torn = place.line;
        return;
      }
      if (record.type === "other-version") throw otherVersion(path, record.version);
      if (record.type === "header") header = record.header;
      else noteRecord(states, record);
      ({ end, isEnded } = place);
    },
    signal,
  );
  return { header, end, isEnded, damage };
}

/** Whether a first line can be one of ours, which may be torn after any byte. */
function isOurs(bytes: Buffer, isEnded: boolean): boolean {
  const beginning = bytes.toString("latin1", 0, signature.length);
  return beginning === signature || (!isEnded && signature.startsWith(beginning));
}

function noteRecord(states: RecipientStates, record: RecipientRecord): void {
  states.note(record.to, record.type === "intent" ? "ambiguous" : stateAfter(record.outcome));
}
