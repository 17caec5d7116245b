/**
 * One writer at a time, across processes.
 *
 * conf writes atomically but does not lock: ten processes that read, change and
 * write lost 46 of 120 entries when tried. proper-lockfile makes a folder beside
 * the file and keeps its time fresh; the lock of a process that was killed grows
 * stale and is taken over.
 */
import { setTimeout as delay } from "node:timers/promises";
import { UserError, systemCode } from "../base/errors.ts";
import { unwritable } from "./project.ts";

/** How long a lock outlives its killed owner. */
const staleMs = 5_000;
/** Waiting ends after about a minute: ten writers of a large file in a row stay well below. */
const patience = { attempts: 1_200, pauseMs: 50 };

/**
 * Runs `work` while no other process holds the lock of `path`.
 *
 * @throws UserError `store-locked` when another process kept it all the time, `store-unwritable`
 */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  let lost: Error | undefined;
  const release = await acquire(path, (error) => (lost = error), patience.attempts);
  if (release === undefined) throw lockedByOther(path);
  try {
    return await work();
  } finally {
    // A lock that was lost to a stale take-over is no longer ours to release.
    if (lost === undefined) await release();
  }
}

/**
 * Takes the lock of `path` and keeps it until disposed.
 *
 * It waits only as long as the lock of a killed process takes to grow stale; `undefined` when another
 * process has it.
 *
 * @throws UserError `store-unwritable`
 */
export async function holdLock(path: string): Promise<AsyncDisposable | undefined> {
  const release = await acquire(path, () => undefined, Math.ceil((staleMs * 1.5) / patience.pauseMs));
  return release && { [Symbol.asyncDispose]: () => release().catch(() => undefined) };
}

/** Waits by itself: proper-lockfile's own retries would wait a minute for a folder that cannot be written, too. */
async function acquire(
  path: string,
  onCompromised: (error: Error) => void,
  attempts: number,
): Promise<(() => Promise<void>) | undefined> {
  const { lock } = (await import("proper-lockfile")).default;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await lock(path, { realpath: false, stale: staleMs, update: staleMs / 4, onCompromised });
    } catch (error) {
      if (systemCode(error) !== "ELOCKED") throw unwritable(path, error);
      if (attempt === attempts) return undefined;
    }
    await delay(patience.pauseMs);
  }
}

function lockedByOther(path: string): UserError {
  return new UserError("store-locked", `${path} is locked by another process`, {
    kind: "failed",
    hints: ["wait for the other webpush command to end and run this one again"],
  });
}
