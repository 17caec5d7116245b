/**
 * The diagnosis table: every answer of a push service that is known, in order.
 *
 * The first row that matches wins, so a vendor's precise rows stand before its
 * loose ones, and the last resorts by status stand at the end. The ids are part of
 * the `--json` contract and never change.
 */

import { firstRows, lastRows } from "./diagnoses/any-service.ts";
import { appleRows } from "./diagnoses/apple.ts";
import { fcmRows } from "./diagnoses/fcm.ts";
import { mozillaRows } from "./diagnoses/mozilla.ts";
import type { Row } from "./diagnoses/row.ts";
import { wnsRows } from "./diagnoses/wns.ts";

const rows = [...firstRows, ...appleRows, ...fcmRows, ...mozillaRows, ...wnsRows, ...lastRows] as const;

/** The id of a row: why a message ended as it did. */
export type CauseId = (typeof rows)[number]["id"];

/** What an answer means, what to do about it, and what a program may do next. */
export interface Diagnosis extends Row {
  readonly id: CauseId;
}

/** The whole table, in the order in which it is searched. */
export const diagnoses: readonly Diagnosis[] = rows;

const byId: ReadonlyMap<string, Diagnosis> = new Map(diagnoses.map((row) => [row.id, row]));

/** Whether a text is the id of a row. */
export function isCause(text: string): text is CauseId {
  return byId.has(text);
}

/** The row of a cause. */
export function diagnosisOf(cause: CauseId): Diagnosis {
  const row = byId.get(cause);
  if (row === undefined) throw new TypeError(`no diagnosis has the id ${cause}`);
  return row;
}
