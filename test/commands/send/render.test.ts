import { describe, expect, test } from "vitest";
import type { Delivery } from "../../../src/protocol/delivery.ts";
import { FailureGroups } from "../../../src/commands/send/failure-groups.ts";
import { resultsTable, summaryLine } from "../../../src/commands/send/render.ts";
import { plainPaint } from "../../../src/terminal/paint.ts";
import { createBrowser, ourPair, tallyOf } from "./sending.ts";

const paint = { out: plainPaint, err: plainPaint };
const terminal = (columns: number, err = true) => ({
  paint,
  terminal: { in: true, out: true, err, columns, errColumns: err ? columns : Number.POSITIVE_INFINITY },
});

function resultOf(name: string, delivery: Delivery, durationMs = 42) {
  const { subscription } = createBrowser(
    `https://updates.push.services.mozilla.com/wpush/v2/gAAAA-${encodeURIComponent(name)}`,
  );
  const recipient = { id: "0123456789", name, subscription, record: undefined, pair: ourPair };
  return { recipient, delivery, attempts: 1, durationMs };
}

const results = [
  resultOf("phone", { outcome: "accepted", cause: "ok", status: 201 }),
  resultOf(
    "a browser with quite a long name",
    { outcome: "unreachable", cause: "net.dns", reason: "no such name" },
    10_003,
  ),
  resultOf("laptop", {
    outcome: "wrong-key",
    cause: "moz.key-mismatch",
    status: 401,
    reason: "VAPID public key mismatch",
  }),
];

describe("the table", () => {
  test("at 80 columns", () => {
    expect(resultsTable(results, [], terminal(80))).toEqual([
      "to                        endpoint                 outcome      status      time",
      "phone                     updates.push.services.…  accepted        201     42 ms",
      "a browser with quite a …  updates.push.services.…  unreachable       -  10003 ms",
      "laptop                    updates.push.services.…  wrong-key       401     42 ms",
    ]);
  });

  test("at 40 columns, without the endpoint", () => {
    expect(resultsTable(results, [], terminal(40))).toEqual([
      "to         outcome      status      time",
      "phone      accepted        201     42 ms",
      "a browse…  unreachable       -  10003 ms",
      "laptop     wrong-key       401     42 ms",
    ]);
  });
});

function linesOf(list: typeof results, io: ReturnType<typeof terminal>): readonly string[] {
  const groups = new FailureGroups();
  for (const result of list) groups.add(result);
  return groups.lines(io);
}

describe("failures by cause", () => {
  test("are broken between words at a terminal", () => {
    expect(linesOf(results.slice(2), terminal(60))).toEqual([
      "",
      "1 × the subscription was made with another VAPID key",
      "    (Mozilla autopush)  moz.key-mismatch",
      "    said: VAPID public key mismatch",
      "    do:   send with the key it was made with, or have the",
      "          page subscribe again with this one",
    ]);
  });

  test("stay on their lines elsewhere", () => {
    expect(linesOf(results.slice(2), terminal(60, false))).toEqual([
      "",
      "1 × the subscription was made with another VAPID key (Mozilla autopush)  moz.key-mismatch",
      "    said: VAPID public key mismatch",
      "    do:   send with the key it was made with, or have the page subscribe again with this one",
    ]);
  });

  test("come with the most frequent first", () => {
    const [first = ""] = linesOf(
      [...results, resultOf("tv", results[2]?.delivery as Delivery)],
      terminal(80),
    ).slice(1);
    expect(first).toMatch(/^2 × /);
  });
});

test("the sum names what there is, and nothing else", () => {
  const line = (...deliveries: Delivery[]) => summaryLine(tallyOf(deliveries), { paint });
  expect(line({ outcome: "accepted", cause: "ok", status: 201 })).toBe("1 in all: 1 accepted");
  expect(line(...results.map(({ delivery }) => delivery))).toBe(
    "\n3 in all: 1 accepted, 1 refused credentials, 1 to try later",
  );
});
