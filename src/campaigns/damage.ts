/**
 * Campaigns that cannot be read, because somebody else wrote into their rows.
 *
 * They are found out before anybody is sent to: of what cannot be recorded everybody would be sent to again and again.
 */
import { UserError } from "../base/errors.ts";
import type { Queries } from "../store/postgres/database.ts";
import type { ChunkRow } from "./turn-sql.ts";

/** The error for a campaign that cannot be read. */
export function damaged(id: string, what: string): UserError {
  return new UserError(
    "campaign-damaged",
    `campaign ${JSON.stringify(id.slice(0, 40))} is damaged: ${what}`,
    {
      kind: "failed",
      hints: [
        "somebody else changed its row in webpush.campaigns or webpush.chunks; correct it there, or delete it",
      ],
    },
  );
}

/** Whether a value of the database is what `add_counts` can add to. */
export function areCounts(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((count) => Number.isSafeInteger(count));
}

/**
 * Looks at how far a chunk came.
 *
 * @throws UserError `campaign-damaged`
 */
export function assertChunk(id: string, { beyond, counts }: Pick<ChunkRow, "beyond" | "counts">): void {
  if (!beyond.every((one: unknown) => typeof one === "string"))
    throw damaged(id, "how far a chunk came is no list of places");
  if (!areCounts(counts)) throw damaged(id, "the counts of a chunk are no numbers");
}

/**
 * Pauses a campaign that cannot be read, so that no worker stumbles over it again.
 * Answers what is wrong with it, to whoever was the first to pause it.
 *
 * @throws whatever `error` is, when it says something else
 */
export async function pauseDamaged(
  queries: Queries,
  campaign: string,
  error: unknown,
): Promise<UserError | undefined> {
  if (!(error instanceof UserError) || error.code !== "campaign-damaged") throw error;
  const paused = await queries.change({
    text: "update webpush.campaigns set state = 'paused' where id = $1 and state = 'running'",
    values: [campaign],
  });
  return paused > 0 ? error : undefined;
}
