import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createStatusArea } from "../../src/terminal/status-area.ts";
import { FakeTerminal } from "../support/fake-terminal.ts";

/** A terminal on which something was printed before. */
function openTerminal(size = {}) {
  const terminal = new FakeTerminal(size);
  terminal.write("$ webpush send\n");
  return { terminal, area: createStatusArea(terminal) };
}

test("what is shown stands below what was printed, and the next takes its place", () => {
  const { terminal, area } = openTerminal();
  area.show(["one of three", "10/s"]);
  expect(terminal.lines).toEqual(["$ webpush send", "one of three", "10/s"]);
  area.show(["two", "9/s", "slow"]);
  expect(terminal.lines).toEqual(["$ webpush send", "two", "9/s", "slow"]);
});

test("of longer lines and of more of them nothing is left", () => {
  const { terminal, area } = openTerminal();
  area.show(["a long line", "another", "and a third"]);
  area.show(["short"]);
  expect(terminal.lines).toEqual(["$ webpush send", "short"]);
});

test("cleared, it leaves the screen as it was", () => {
  const { terminal, area } = openTerminal();
  area.show(["one", "two"]);
  area.clear();
  terminal.write("done\n");
  expect(terminal.lines).toEqual(["$ webpush send", "done"]);
});

test("showing no lines is clearing", async () => {
  const { terminal, area } = openTerminal();
  area.show(["one"]);
  area.show([]);
  area.makeRoom(() => {
    terminal.write("done\n");
  });
  await turn();
  expect(terminal.lines).toEqual(["$ webpush send", "done"]);
});

test("what has not changed is not written again", () => {
  const { terminal, area } = openTerminal();
  area.show(["one"]);
  area.show(["one"]);
  expect(terminal.writes).toHaveLength(2);
});

test("it needs one write, so that a terminal never shows half of it", () => {
  const { terminal, area } = openTerminal();
  area.show(["one", "two"]);
  area.show(["three", "four"]);
  expect(terminal.writes).toHaveLength(3);
});

test("nothing has to be given back, whatever ends the program in the middle", () => {
  const { terminal, area } = openTerminal();
  area.show(["one", "two"]);
  // A FakeTerminal takes no sequence that hides the cursor.
  expect(terminal.wraps).toBe(true);
  expect(terminal.cursor).toEqual({ row: 1, column: 0 });
});

describe("while it is shown, something is printed", () => {
  test("which appears above it", async () => {
    const { terminal, area } = openTerminal();
    area.show(["one", "two"]);
    for (const line of ["first", "a second line"]) {
      area.makeRoom(() => {
        terminal.write(`${line}\n`);
      });
    }
    expect(terminal.lines).toEqual(["$ webpush send", "first", "a second line"]);
    await turn();
    expect(terminal.lines).toEqual(["$ webpush send", "first", "a second line", "one", "two"]);
  });

  test("and the area is drawn once for all that is printed in one turn", async () => {
    const { terminal, area } = openTerminal();
    area.show(["one", "two"]);
    const before = terminal.writes.length;
    for (const line of ["a", "b", "c"]) {
      area.makeRoom(() => {
        terminal.write(`${line}\n`);
      });
    }
    await turn();
    expect(terminal.writes.length - before).toBe("erase a b c draw".split(" ").length);
  });

  test("and the area does not come back when it was cleared meanwhile", async () => {
    const { terminal, area } = openTerminal();
    area.show(["one", "two"]);
    area.makeRoom(() => {
      terminal.write("last\n");
    });
    area.clear();
    terminal.write("a question? ");
    await turn();
    expect(terminal.writes.slice(-2)).toEqual(["last\n", "a question? "]);
  });

  test("and the screen is full, so it scrolls", async () => {
    const { terminal, area } = openTerminal({ rows: 4 });
    area.show(["one", "two"]);
    for (const line of ["a", "b", "c", "d"]) {
      area.makeRoom(() => {
        terminal.write(`${line}\n`);
      });
      await turn();
    }
    expect(terminal.lines).toEqual(["$ webpush send", "a", "b", "c", "d", "one", "two"]);
    area.show(["three", "four"]);
    expect(terminal.lines).toEqual(["$ webpush send", "a", "b", "c", "d", "three", "four"]);
  });

  test("what a person types is overwritten", async () => {
    const { terminal, area } = openTerminal();
    area.show(["one", "two"]);
    terminal.write("^C");
    area.makeRoom(() => {
      terminal.write("stopping\n");
    });
    await turn();
    expect(terminal.lines).toEqual(["$ webpush send", "stopping", "one", "two"]);
  });
});

describe("the size of the window", () => {
  test("cuts lines that are too wide, and does not wrap them", () => {
    const { terminal, area } = openTerminal({ columns: 20 });
    area.show(["0123456789012345678901234", "two"]);
    area.show(["9876543210987654321098765", "two"]);
    expect(terminal.lines.slice(1).map((line) => line.slice(0, 18))).toEqual(["987654321098765432", "two"]);
  });

  test.each([
    ["narrower", 80, 30],
    ["wider", 30, 80],
  ])("may become %s between two frames", (_, before, after) => {
    const { terminal, area } = openTerminal({ columns: before });
    area.show(["x".repeat(area.columns), "y".repeat(area.columns), "z"]);
    terminal.resize(after);
    area.show(["x".repeat(area.columns), "z"]);
    expect(terminal.lines).toEqual(["$ webpush send", "x".repeat(after - 1), "z"]);
  });

  test("leaves a full line its last character", () => {
    const { terminal, area } = openTerminal({ columns: 30 });
    area.show(["x".repeat(area.columns)]);
    expect(terminal.lines[1]).toBe("x".repeat(29));
  });

  test("leaves out lines that would scroll away", () => {
    const { terminal, area } = openTerminal({ rows: 2 });
    area.show(["one", "two", "three"]);
    area.show(["1", "2", "3"]);
    expect(terminal.lines).toEqual(["$ webpush send", "1", "2"]);
  });

  test("that is not known counts as 80 columns", () => {
    const { area } = openTerminal({ columns: 0, rows: 0 });
    expect(area.columns).toBe(79);
  });
});
