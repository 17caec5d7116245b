/** The questions of `webpush doctor --ask`: a tree in which every path ends and nothing is left over. */
import { describe, expect, test } from "vitest";
import { verdicts } from "../../src/doctor/nothing-appears/verdicts.ts";
import {
  answersFor,
  findVerdict,
  nextOpen,
  questions,
  type Question,
  type Records,
  type Verdict,
} from "../../src/doctor/questions.ts";

const nothingKnown: Records = {
  stored: 0,
  accepted: 0,
  refused: 0,
  services: [],
  ttlSeconds: undefined,
  urgency: undefined,
};

/** Every way through the tree, as the ids on it. */
function waysFrom(
  at: Question | Verdict,
  records: Records,
  way: readonly string[] = [],
): readonly string[][] {
  expect(way, "a question is asked twice on one way").not.toContain(at.id);
  if (!("asks" in at)) return [[...way, at.id]];
  return answersFor(at, records).flatMap(({ next }) =>
    waysFrom(nextOpen(next, records), records, [...way, at.id]),
  );
}

function ways(records: Records): readonly string[][] {
  return waysFrom(nextOpen("sent", records), records);
}

/** Walks the tree with answers that begin like this. */
async function verdictOf(records: Records, ...says: readonly string[]): Promise<string> {
  const left = [...says];
  const { id } = await findVerdict(records, (question, answers) => {
    const wanted = left.shift();
    const answer = answers.find((one) => wanted !== undefined && one.says.startsWith(wanted));
    if (answer === undefined) throw new Error(`${String(wanted)} is no answer to: ${question.asks}`);
    return Promise.resolve(answer);
  });
  expect(left).toEqual([]);
  return id;
}

test("every way ends, and every verdict and question is on one", () => {
  const all = ways(nothingKnown);
  const reached = new Set(all.flat());
  expect([...verdicts, ...questions].map(({ id }) => id).filter((id) => !reached.has(id))).toEqual([]);
});

test("nobody is asked more than a dozen things", () => {
  expect(Math.max(...ways(nothingKnown).map((way) => way.length - 1))).toBeLessThanOrEqual(12);
});

test("ids are given once", () => {
  const ids = [...verdicts, ...questions].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("questions end with a question mark or name what to do, and fit a terminal", () => {
  expect(questions.filter(({ asks }) => asks.length > 86 || !/[?)]$/.test(asks))).toEqual([]);
  const answers = questions.flatMap((question) => question.answers);
  expect(answers.filter(({ says }) => says.length > 70 || says.endsWith("."))).toEqual([]);
  expect(verdicts.filter(({ what, fix }) => !what.endsWith(".") || fix.length === 0)).toEqual([]);
});

describe("what is known is not asked", () => {
  const sent: Records = { ...nothingKnown, stored: 3, accepted: 3 };

  test("a refused message ends it at once", async () => {
    expect(await verdictOf({ ...nothingKnown, stored: 1, refused: 1 })).toBe("not-accepted");
  });

  test("so does one that was never sent", async () => {
    expect(await verdictOf({ ...nothingKnown, stored: 1 })).toBe("never-sent");
  });

  test("with subscriptions at Apple's service alone, only Apple's devices are offered", () => {
    const where = nextOpen("sent", { ...sent, services: ["apple"] });
    if (!("asks" in where)) throw new Error("expected a question");
    expect(answersFor(where, { ...sent, services: ["apple"] }).map(({ says }) => says)).toEqual([
      "Safari on a Mac",
      "An iPhone or iPad",
      "On several devices, and on none of them does it",
    ]);
  });

  test("a default TTL of 0 explains why a device that was off shows nothing", async () => {
    const records: Records = { ...sent, services: ["mozilla"], ttlSeconds: 0 };
    expect(await verdictOf(records, "Firefox", "Linux", "Yes", "No")).toBe("ttl-elapsed");
  });

  test("what is sent with high urgency does not wait for a sleeping phone", async () => {
    const records: Records = { ...sent, urgency: "high" };
    expect(await verdictOf(records, "An Android", "The battery")).toBe("battery");
  });
});

test.each([
  ["silent-pushes", ["It accepted", "An iPhone", "Yes", "Allowed", "Yes, it stopped"]],
  ["ios-tab", ["It accepted", "An iPhone", "No"]],
  ["brave-switch", ["It accepted", "Brave", "No"]],
  ["doze", ["It accepted", "An Android", "Yes"]],
  ["focus", ["It accepted", "Chrome", "macOS", "A Focus"]],
  [
    "worker-throws",
    [
      "It accepted",
      "On several",
      "No, never",
      "In an ordinary",
      "Yes, allowed",
      "One, activated",
      "An error",
    ],
  ],
])("%s", async (id, says) => {
  expect(await verdictOf(nothingKnown, ...says)).toBe(id);
});
