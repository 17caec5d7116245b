/** A broadcast to keep a journal of. */
import { readFileSync } from "node:fs";
import { fingerprintOf } from "../../../src/base/fingerprint-set.ts";
import type { CampaignIdentity } from "../../../src/store/journal/identity.ts";
import { openJournal, type Journal, type JournalOptions } from "../../../src/store/journal/journal.ts";

export const someTime = Date.parse("2026-11-02T12:00:00.000Z");

export const identity: CampaignIdentity = {
  payload: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
  options: { ttl: "600", encoding: "aes128gcm" },
  keys: ["first-key", "second-key"],
  inputs: [{ kind: "file", name: "users.csv", bytes: 1000, modifiedAt: someTime, sha256: "content" }],
};

/** Opens the journal at `path` as that broadcast's. */
export function open(
  path: string,
  changes: Partial<CampaignIdentity> = {},
  options: Partial<JournalOptions> = {},
): Promise<Journal> {
  return openJournal(
    path,
    { ...identity, ...changes },
    { clock: { now: () => someTime }, campaignId: "campaign-1", resumeAnyway: false, ...options },
  );
}

/** The fingerprint of the endpoint of somebody. */
export function recipient(who: string): Uint8Array {
  return fingerprintOf(`https://push.example.net/${who}`);
}

/** The lines of a journal, blank ones left out. */
export function linesOf(path: string): readonly string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}
