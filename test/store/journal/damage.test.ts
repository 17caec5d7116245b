/** Journals that end too early, were spoiled, or are none: what they still say, and that nothing is made up. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJournal, type Reading } from "../../../src/store/journal/reading.ts";
import { RecipientStates } from "../../../src/store/journal/states.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { linesOf, open, recipient } from "./broadcast.ts";

const people = ["alice", "bob", "carol", "dave", "erin", "frank"];

type Known = Readonly<Record<string, string | undefined>>;

/** A journal of every kind of record, and what it says after each of its lines. */
async function sampleJournal(
  path: string,
): Promise<{ readonly whole: Buffer; readonly after: readonly Known[] }> {
  const after: Known[] = [{}];
  {
    await using journal = await open(path);
    const noteState = () => {
      const states = people.map((who) => [who, journal.stateOf(recipient(who))] as const);
      // The next run cannot know what came of those that are being sent to.
      after.push(
        Object.fromEntries(states.map(([who, state]) => [who, state === "sending" ? "ambiguous" : state])),
      );
    };
    noteState();
    const outcomes = ["accepted", "gone", "throttled", "ambiguous", "unreachable"] as const;
    for (const who of people) {
      journal.intend(recipient(who));
      noteState();
    }
    for (const [index, outcome] of outcomes.entries()) {
      journal.record(recipient(people[index] ?? ""), outcome, { status: 201 });
      noteState();
    }
    journal.intend(recipient("carol"));
    noteState();
    journal.record(recipient("carol"), "accepted");
    noteState();
  }
  return { whole: readFileSync(path), after };
}

async function read(path: string): Promise<Reading & { readonly known: Known }> {
  const states = new RecipientStates();
  const handle = await openFile(path, "r");
  try {
    const reading = await readJournal(handle, path, { states, signal: undefined });
    return { ...reading, known: Object.fromEntries(people.map((who) => [who, states.of(recipient(who))])) };
  } finally {
    await handle.close();
  }
}

/** The offsets behind each line break. */
function lineEnds(bytes: Buffer): readonly number[] {
  return [...bytes.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1);
}

describe.each([
  ["nothing", ""],
  ["filler", "\n".repeat(1000)],
])("cut after any byte, with %s behind it", (_name, tail) => {
  test("a journal says what its whole lines said, and goes on behind them", async () => {
    const path = join(tempFolder(), "broadcast.journal");
    const { whole, after } = await sampleJournal(path);
    const ends = lineEnds(whole);
    for (let length = 0; length <= whole.length; length += 1) {
      // Filler begins behind the header, never instead of it.
      if (tail !== "" && length < (ends[0] ?? 0)) continue;
      writeFileSync(path, Buffer.concat([whole.subarray(0, length), Buffer.from(tail)]));
      const { known, header, end, isEnded, damage } = await read(path);
      // A line that lacks but its line break is whole.
      const lines = ends.filter((lineEnd) => lineEnd - 1 <= length).length;
      const expected: Known = after[lines] ?? {};
      expect(known, `cut at ${length}`).toEqual({ ...known, ...expected });
      expect(damage, `cut at ${length}`).toBeUndefined();
      expect(header === undefined, `cut at ${length}`).toBe(lines === 0);
      const lastEnd = ends[lines - 1] ?? 0;
      expect([end, isEnded], `cut at ${length}`).toEqual(
        lastEnd > length && tail === "" ? [lastEnd - 1, false] : [lastEnd, true],
      );
    }
  });
});

test("a journal that was cut anywhere is resumed, and keeps what is noted from then on", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const { whole, after } = await sampleJournal(path);
  const ends = lineEnds(whole);
  const cuts = [0, 1, 5, 30, ...ends.flatMap((end) => [end - 40, end - 1, end])];
  for (const length of cuts) {
    writeFileSync(path, whole.subarray(0, length));
    const lines = ends.filter((end) => end - 1 <= length).length;
    {
      await using journal = await open(path);
      expect(journal.resumed === undefined, `cut at ${length}`).toBe(lines === 0);
      journal.intend(recipient("zoe"));
      journal.record(recipient("zoe"), "gone");
    }
    await using journal = await open(path);
    expect(journal.stateOf(recipient("zoe")), `cut at ${length}`).toBe("gone");
    expect(journal.stateOf(recipient("alice")), `cut at ${length}`).toBe(after[lines]?.["alice"]);
    expect(linesOf(path), `cut at ${length}`).toHaveLength(Math.max(lines, 1) + 2);
  }
});

test("with any one byte spoiled it is refused or says less, and never makes anything up", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const { whole, after } = await sampleJournal(path);
  const lastLine = lineEnds(whole).at(-2) ?? 0;
  for (let at = 0; at < whole.length; at += 1) {
    const spoiled = Buffer.from(whole);
    spoiled[at] = (spoiled[at] ?? 0) ^ 1;
    writeFileSync(path, spoiled);
    const reading = await read(path).catch((error: unknown) => error as { readonly code: string });
    if ("code" in reading) {
      expect([reading.code, at < 20], `spoiled at ${at}`).toEqual(["journal-foreign", true]);
    } else if (at < lastLine - 1) {
      expect(reading.damage, `spoiled at ${at}`).toBeDefined();
    } else {
      // The last line is lost, as if torn; without a break before it, it is one with the line before.
      const lost = at === lastLine - 1 ? 2 : 1;
      expect([reading.known, reading.damage], `spoiled at ${at}`).toEqual([after.at(-1 - lost), undefined]);
    }
  }
});

test("damage in the middle is refused with its line; resuming anyway leaves it out", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    for (const who of ["alice", "bob", "carol"]) journal.record(recipient(who), "accepted");
  }
  const spoiled = readFileSync(path, "utf8")
    .split("\n")
    .map((line, index) => (index === 2 ? line.replace("accepted", "rejected") : line))
    .join("\n");
  writeFileSync(path, spoiled);
  await expect(open(path)).rejects.toMatchObject({
    code: "journal-damaged",
    kind: "failed",
    message: `line 3 of ${path} is damaged`,
    hints: [expect.stringContaining("--resume-anyway") as unknown],
  });
  expect(readFileSync(path, "utf8")).toBe(spoiled);

  await using journal = await open(path, {}, { resumeAnyway: true });
  expect(journal.resumed).toEqual({ accepted: 2, gone: 0, again: 0, ambiguous: 0, damagedLines: 1 });
  expect(journal.stateOf(recipient("bob"))).toBeUndefined();
});

test("several damaged lines are counted, also at the end", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const { whole } = await sampleJournal(path);
  writeFileSync(path, Buffer.concat([whole, Buffer.from("x\n\n\nyy\nzzz")]));
  await expect(open(path)).rejects.toMatchObject({
    message: `line ${lineEnds(whole).length + 1} of ${path} is damaged, as is another line behind it`,
  });
});

test("without its first line nothing tells what a journal is of", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const { whole } = await sampleJournal(path);
  const spoiled = whole.toString().replace("campaign-1", "campaign-2");
  writeFileSync(path, spoiled);
  for (const resumeAnyway of [false, true]) {
    await expect(open(path, {}, { resumeAnyway })).rejects.toMatchObject({ code: "journal-damaged" });
    expect(readFileSync(path, "utf8")).toBe(spoiled);
  }
});

test("a journal of another version is left as it is", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const line = '{"journal":"webpush","version":2,"sum":"25fe9807"}\n';
  writeFileSync(path, line);
  await expect(open(path, {}, { resumeAnyway: true })).rejects.toMatchObject({
    code: "journal-version",
    message: `${path} is a journal of another version (2) of webpush`,
  });
  expect(readFileSync(path, "utf8")).toBe(line);
});

describe("a file that is no journal is left as it is", () => {
  test.each([
    ["a list of subscriptions", '{"endpoint":"https://push.example.net/alice"}\n'],
    ["a text", "hello"],
    ["one letter", "x"],
    ["JSON of another program", '{"journal":"systemd"}\n'],
    ["one long line", "x".repeat(1_000_000)],
    ["binary", "\u0000\u0001\u0002\n"],
  ])("%s", async (_name, content) => {
    const path = join(tempFolder(), "file");
    writeFileSync(path, content);
    await expect(open(path, {}, { resumeAnyway: true })).rejects.toMatchObject({
      code: "journal-foreign",
      message: `${path} is no journal, and was left as it is`,
    });
    expect(readFileSync(path, "utf8")).toBe(content);
  });

  test("a folder", async () => {
    const path = join(tempFolder(), "folder");
    mkdirSync(path);
    await expect(open(path)).rejects.toMatchObject({ code: "journal-unwritable" });
  });

  test("a device", async () => {
    await expect(open("/dev/null")).rejects.toMatchObject({ code: "journal-foreign" });
  });
});

test("whatever a file holds, it is read, or refused as foreign", async () => {
  const path = join(tempFolder(), "file");
  const { whole } = await sampleJournal(path);
  const piece = fc.oneof(
    fc.constantFrom(...whole.toString().split(/(?<=\n)/)),
    fc.string({ unit: "binary" }),
    fc.constant("\n"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece), async (pieces) => {
      writeFileSync(path, pieces.join(""));
      const reading = await read(path).catch((error: unknown) => error);
      if (reading instanceof Error) expect(reading).toMatchObject({ code: "journal-foreign" });
    }),
    { numRuns: 300 },
  );
});
