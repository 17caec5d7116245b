/**
 * One writer at a time, across processes.
 *
 * conf writes atomically but does not lock: ten processes that read, change and
 * write lost 46 of 120 entries when tried. proper-lockfile makes a folder beside
 * the file and keeps its time fresh; the lock of a process that was killed grows
 * stale and is taken over.
 */
import { UserError, systemCode } from "../base/errors.ts";
import { unwritable } from "./project.ts";

/** How long a lock outlives its killed owner. */
const staleMs = 5_000;
/** Waiting ends after about a minute: ten writers of a large file in a row stay well below. */
const patience = { retries: 400, minTimeout: 20, maxTimeout: 200, factor: 1.3, randomize: true };

/**
 * Runs `work` while no other process holds the lock of `path`.
 *
 * @throws UserError `store-locked` when another process kept it all the time
 */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const { lock } = (await import("proper-lockfile")).default;
  let lost: Error | undefined;
  const release = await lock(path, {
    realpath: false,
    stale: staleMs,
    update: staleMs / 4,
    retries: patience,
    onCompromised: (error) => (lost = error),
  }).catch((error: unknown) => {
    if (systemCode(error) !== "ELOCKED") throw unwritable(path, error);
    throw new UserError("store-locked", `${path} is locked by another process`, {
      kind: "failed",
      hints: ["wait for the other webpush command to end and run this one again"],
      cause: error,
    });
  });
  try {
    return await work();
  } finally {
    // A lock that was lost to a stale take-over is no longer ours to release.
    if (lost === undefined) await release();
  }
}
