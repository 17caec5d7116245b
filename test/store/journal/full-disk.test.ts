/** A disk that fills up refuses an intent, never the result of a request that left. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { UserError } from "../../../src/base/errors.ts";
import { createNotes, type RecipientNotes } from "../../../src/store/journal/notes.ts";
import { RecordFile, type OpenFile } from "../../../src/store/journal/record-file.ts";
import { RecipientStates } from "../../../src/store/journal/states.ts";
import { seededRandom } from "../../support/test-context.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { linesOf, open, recipient, someTime } from "./broadcast.ts";

const clock = { now: () => someTime };

/** A file on a disk of so many bytes: a write takes what fits, and only the next one is refused. */
function smallDisk(capacity: number, refusal = "ENOSPC") {
  const bytes = Buffer.alloc(capacity);
  let length = 0;
  const file: OpenFile = {
    write(piece, position) {
      const fitting = piece.subarray(0, Math.max(0, capacity - position));
      if (fitting.length === 0) throw Object.assign(new Error("no room"), { code: refusal });
      bytes.set(fitting, position);
      length = Math.max(length, position + fitting.length);
      return fitting.length;
    },
    size: () => length,
    sync: () => Promise.resolve(),
    truncate: (to) => Promise.resolve(void (length = to)),
    close: () => Promise.resolve(),
  };
  const lines = () =>
    bytes
      .subarray(0, length)
      .toString()
      .split("\n")
      .filter((line) => line !== "");
  return { file, lines, length: () => length };
}

function notesOn(file: OpenFile): { readonly records: RecordFile; readonly notes: RecipientNotes } {
  const records = new RecordFile(file, 0, { path: "broadcast.journal", clock });
  return { records, notes: createNotes(records, new RecipientStates()) };
}

/** The error's code when something of ours refuses. */
function refusalOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
}

/** Sends until the disk is full, some at a time and finished in any order; then lets those in flight end. */
function sendUntilFull(notes: RecipientNotes, next: () => number): { readonly sent: number } {
  const inFlight: Uint8Array[] = [];
  const finishOne = () => {
    const [digest] = inFlight.splice(next() % inFlight.length, 1);
    if (digest !== undefined)
      notes.record(digest, next() % 2 === 0 ? "unreachable" : "accepted", { status: 599 });
  };
  for (let sent = 0; ; sent += 1) {
    const digest = recipient(`${sent}`);
    const refusal = refusalOf(() => {
      notes.intend(digest);
    });
    if (refusal !== undefined) {
      expect(refusal).toBe("journal-full");
      while (inFlight.length > 0) finishOne();
      return { sent };
    }
    inFlight.push(digest);
    while (inFlight.length > next() % 30) finishOne();
  }
}

function numbers(seed: string): () => number {
  const random = seededRandom(seed);
  return () => random.bytes(1)[0] ?? 0;
}

test("whatever the disk holds, all that left is on record when it is full", async () => {
  for (let capacity = 0; capacity < 140_000; capacity += 1_499) {
    const { file, lines } = smallDisk(capacity);
    const { records, notes } = notesOn(file);
    const { sent } = sendUntilFull(notes, numbers(`disk of ${capacity}`));
    await records.close();
    const results = lines().filter((line) => !line.includes("sending"));
    expect([lines().length, results.length], `disk of ${capacity}`).toEqual([2 * sent, sent]);
    // Nor is the room left unused: no more is spared than thirty in flight may need.
    expect(sent, `disk of ${capacity}`).toBeGreaterThanOrEqual(Math.floor((capacity - 32 * 81) / (64 + 81)));
  }
});

test("when there is room again, sending goes on", () => {
  const disk = smallDisk(70_000);
  let isFull = true;
  const { notes } = notesOn({
    ...disk.file,
    write(bytes, position) {
      if (isFull && position >= 60_000) throw Object.assign(new Error("no room"), { code: "EDQUOT" });
      return disk.file.write(isFull ? bytes.subarray(0, 60_000 - position) : bytes, position);
    },
  });
  const { sent } = sendUntilFull(notes, numbers("quota"));
  isFull = false;
  const { sent: more } = sendUntilFull(notes, numbers("more quota"));
  expect(disk.lines()).toHaveLength(2 * (sent + more));
  expect(more).toBeGreaterThan(0);
});

test.each([
  ["ENOSPC", "journal-full", "there is no room left to write broadcast.journal (ENOSPC)"],
  ["EDQUOT", "journal-full", "there is no room left to write broadcast.journal (EDQUOT)"],
  ["EFBIG", "journal-full", "there is no room left to write broadcast.journal (EFBIG)"],
  ["EIO", "journal-unwritable", "cannot write broadcast.journal (EIO)"],
])("a write refused with %s is %s", (refusal, code, message) => {
  const { notes } = notesOn(smallDisk(0, refusal).file);
  expect(() => {
    notes.intend(recipient("alice"));
  }).toThrow(expect.objectContaining({ code, message, kind: "failed" }) as Error);
});

describe("the disk is asked to have the records", () => {
  test("once for all that came within a fifth of a second", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const sync = vi.fn(() => Promise.resolve());
    const { records, notes } = notesOn({ ...smallDisk(1_000_000).file, sync });
    for (let number = 0; number < 10; number += 1) notes.intend(recipient(`${number}`));
    await vi.advanceTimersByTimeAsync(199);
    expect(sync).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(sync).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sync, "nothing came since").toHaveBeenCalledTimes(1);
    notes.record(recipient("0"), "accepted");
    await vi.advanceTimersByTimeAsync(200);
    expect(sync).toHaveBeenCalledTimes(2);
    notes.record(recipient("1"), "accepted");
    await records.sync();
    expect(sync, "at once when asked to").toHaveBeenCalledTimes(3);
    await records.close();
  });

  test("before the file is closed, however long that takes", async () => {
    const done: string[] = [];
    let finishSync = () => {};
    const { records, notes } = notesOn({
      ...smallDisk(1_000_000).file,
      sync: () => new Promise<void>((resolve) => (finishSync = resolve)).then(() => void done.push("synced")),
      close: () => Promise.resolve(void done.push("closed")),
    });
    notes.intend(recipient("alice"));
    const [syncing, closing] = [records.sync(), records.close()];
    for (let times = 1; times <= 2; times += 1) {
      await turn();
      expect(done).toHaveLength(times - 1);
      finishSync();
    }
    await Promise.all([syncing, closing]);
    expect(done).toEqual(["synced", "synced", "closed"]);
  });

  test("and when it cannot, nothing more is sent", async () => {
    const failure = Object.assign(new Error("the disk is gone"), { code: "EIO" });
    const { records, notes } = notesOn({ ...smallDisk(1_000_000).file, sync: () => Promise.reject(failure) });
    notes.intend(recipient("alice"));
    await expect(records.sync()).rejects.toMatchObject({ code: "journal-unwritable" });
    expect(
      refusalOf(() => {
        notes.intend(recipient("bob"));
      }),
    ).toBe("journal-unwritable");
    await records.close();
  });

  test("and closing says it when the last of them did not get there", async () => {
    const failure = Object.assign(new Error("the disk is gone"), { code: "EIO" });
    const close = vi.fn(() => Promise.resolve());
    const { records, notes } = notesOn({
      ...smallDisk(1_000_000).file,
      sync: () => Promise.reject(failure),
      close,
    });
    notes.intend(recipient("alice"));
    await expect(records.close()).rejects.toMatchObject({ code: "journal-unwritable" });
    expect(close).toHaveBeenCalledOnce();
  });
});

/** A folder on a file system of its own that holds so much; undefined where this user may not make one. */
function smallFileSystem(size: string): string | undefined {
  const folder = tempFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  // Lazily: a test that failed may have left a file open.
  onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
  return folder;
}

test("a broadcast on a real file system that fills up loses nothing, and goes on when there is room", async (context) => {
  const folder = smallFileSystem("256k");
  if (folder === undefined) {
    context.skip("mounting a file system is for root");
    return;
  }
  const path = join(folder, "broadcast.journal");
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, Buffer.alloc(96 * 1024));
  let sent: number;
  {
    await using journal = await open(path);
    ({ sent } = sendUntilFull(journal, numbers("tmpfs")));
  }
  expect(sent).toBeGreaterThan(100);
  expect(linesOf(path)).toHaveLength(1 + 2 * sent);
  rmSync(ballast);
  await using journal = await open(path);
  expect(journal.resumed).toMatchObject({ ambiguous: 0 });
  journal.intend(recipient("afterwards"));
  expect(readFileSync(path, "utf8")).toContain("sending");
});
