/** The journal of a broadcast as its sender uses it: begin, note, resume. */
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../../support/temp-folder.ts";
import { linesOf, open, recipient, someTime } from "./broadcast.ts";

test("what was noted is known when the broadcast is resumed", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    expect(journal.resumed).toBeUndefined();
    for (const who of ["alice", "bob", "carol", "dave", "erin"]) journal.intend(recipient(who));
    journal.record(recipient("alice"), "accepted", { status: 201 });
    journal.record(recipient("bob"), "gone", { status: 410 });
    journal.record(recipient("carol"), "throttled", { status: 429 });
    journal.record(recipient("dave"), "ambiguous");
  }
  await using journal = await open(
    path,
    {},
    { clock: { now: () => someTime + 1 }, campaignId: "campaign-2" },
  );
  expect(journal.resumed).toEqual({ accepted: 1, gone: 1, again: 1, ambiguous: 2, damagedLines: 0 });
  expect(
    ["alice", "bob", "carol", "dave", "erin", "frank"].map((who) => journal.stateOf(recipient(who))),
  ).toEqual(["accepted", "gone", "again", "ambiguous", "ambiguous", undefined]);
  expect(journal.campaignId).toBe("campaign-1");
  expect(journal.createdAt).toBe(someTime);
});

test.each([
  ["accepted", "accepted"],
  ["gone", "gone"],
  ["ambiguous", "ambiguous"],
  ["wrong-key", "again"],
  ["throttled", "again"],
  ["unavailable", "again"],
  ["rejected", "again"],
  ["unreachable", "again"],
  ["blocked", "again"],
] as const)("who was answered %s is %s, in this run and in the next", async (outcome, state) => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    journal.intend(recipient("alice"));
    expect(journal.stateOf(recipient("alice"))).toBe("sending");
    journal.record(recipient("alice"), outcome);
    expect(journal.stateOf(recipient("alice"))).toBe(state);
  }
  await using journal = await open(path);
  expect(journal.stateOf(recipient("alice"))).toBe(state);
});

test("an attempt that failed is followed by one that did not", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    journal.intend(recipient("alice"));
    journal.record(recipient("alice"), "unreachable");
  }
  {
    await using journal = await open(path);
    expect(journal.resumed).toMatchObject({ again: 1, accepted: 0 });
    journal.intend(recipient("alice"));
    journal.record(recipient("alice"), "accepted");
  }
  await using journal = await open(path);
  expect(journal.resumed).toMatchObject({ again: 0, accepted: 1 });
});

test("who accepted it once has it, whatever came of a second attempt", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    for (const outcome of ["accepted", "ambiguous", "gone"] as const) {
      journal.intend(recipient("alice"));
      journal.record(recipient("alice"), outcome);
    }
    expect(journal.stateOf(recipient("alice"))).toBe("accepted");
  }
  await using journal = await open(path);
  expect(journal.stateOf(recipient("alice"))).toBe("accepted");
});

test("a record can be read by people and by programs, and names nobody", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    journal.intend(recipient("alice"));
    journal.record(recipient("alice"), "accepted", { status: 201 });
  }
  const [header, ...records] = linesOf(path).map((line) => JSON.parse(line) as unknown);
  expect(header).toEqual({
    journal: "webpush",
    version: 1,
    campaign: "campaign-1",
    createdAt: "2026-11-02T12:00:00.000Z",
    payload: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
    options: { ttl: "600", encoding: "aes128gcm" },
    keys: ["first-key", "second-key"],
    inputs: [{ kind: "file", name: "users.csv", bytes: 1000, modifiedAt: someTime, sha256: "content" }],
    sum: expect.stringMatching(/^[0-9a-f]{8}$/) as unknown,
  });
  const to = Buffer.from(recipient("alice").subarray(0, 16)).toString("base64url");
  const sum = expect.any(String) as unknown;
  expect(records).toEqual([
    { to, is: "sending", sum },
    { to, is: "accepted", status: 201, sum },
  ]);
});

test("only its owner may read it, and closing leaves nothing but records", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    journal.intend(recipient("alice"));
    expect(statSync(path).size, "filler while it is open").toBeGreaterThan(60_000);
  }
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  expect(readFileSync(path, "utf8")).toMatch(/^\{.+\}\n\{.+\}\n$/);
});

test("a record is in the file when noting it returns", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  await using journal = await open(path);
  journal.intend(recipient("alice"));
  expect(linesOf(path)).toHaveLength(2);
  journal.record(recipient("alice"), "accepted");
  expect(linesOf(path)).toHaveLength(3);
});

test("a link is followed to where it points, also when nothing is there yet", async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "elsewhere"));
  const [link, path] = [join(folder, "link"), join(folder, "elsewhere", "broadcast.journal")];
  symlinkSync(join("elsewhere", "broadcast.journal"), link);
  {
    await using journal = await open(link);
    journal.intend(recipient("alice"));
  }
  expect(linesOf(path)).toHaveLength(2);
  await using journal = await open(link);
  expect(journal.resumed).toMatchObject({ ambiguous: 1 });
});

test("a folder that is not there is said to be the reason", async () => {
  const path = join(tempFolder(), "missing", "broadcast.journal");
  await expect(open(path)).rejects.toMatchObject({
    code: "journal-unwritable",
    message: `cannot write ${path} (ENOENT)`,
  });
});

test("a file that somebody changes in the meantime is written to no more", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const clock = { nowMs: someTime, now: () => clock.nowMs };
  {
    await using journal = await open(path, {}, { clock });
    journal.intend(recipient("alice"));
    writeFileSync(path, "mine now");
    clock.nowMs += 2_001; // as long as a process that stood still does not look
    expect(() => {
      journal.record(recipient("alice"), "accepted");
    }).toThrow(expect.objectContaining({ code: "journal-lost" }) as Error);
    await expect(journal.sync()).rejects.toMatchObject({ code: "journal-lost" });
  }
  expect(readFileSync(path, "utf8")).toBe("mine now");
});

test("a file that is removed in the meantime is missed", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  await using journal = await open(path);
  rmSync(path);
  await expect(journal.sync()).rejects.toMatchObject({ code: "journal-lost" });
});

test("reading a long journal ends when it is told to", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    for (let number = 0; number < 5_000; number += 1) journal.intend(recipient(`${number}`));
  }
  const stop = new AbortController();
  const opening = open(path, {}, { signal: stop.signal });
  stop.abort(new Error("stopped"));
  await expect(opening).rejects.toThrow("stopped");
  // Nothing is held back by it.
  await using journal = await open(path);
  expect(journal.resumed).toMatchObject({ ambiguous: 5_000 });
});

test("a record after the end is a mistake of ours", async () => {
  const journal = await open(join(tempFolder(), "broadcast.journal"));
  await journal[Symbol.asyncDispose]();
  await journal[Symbol.asyncDispose]();
  expect(() => {
    journal.intend(recipient("alice"));
  }).toThrow("after the journal was closed");
});
