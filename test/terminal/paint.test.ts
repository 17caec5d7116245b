import { expect, test } from "vitest";
import { isColourful, openColourPaint, plainPaint } from "../../src/terminal/paint.ts";

test.each([
  ["a terminal", { isTerminal: true, wanted: true, env: {} }, true],
  ["a pipe", { isTerminal: false, wanted: true, env: {} }, false],
  ["--no-color", { isTerminal: true, wanted: false, env: {} }, false],
  ["--no-color against FORCE_COLOR", { isTerminal: true, wanted: false, env: { FORCE_COLOR: "1" } }, false],
  ["NO_COLOR", { isTerminal: true, wanted: true, env: { NO_COLOR: "1" } }, false],
  ["NO_COLOR with any value", { isTerminal: true, wanted: true, env: { NO_COLOR: "0" } }, false],
  [
    "an empty NO_COLOR, which no-color.org says is none",
    { isTerminal: true, wanted: true, env: { NO_COLOR: "" } },
    true,
  ],
  [
    "NO_COLOR against FORCE_COLOR",
    { isTerminal: true, wanted: true, env: { NO_COLOR: "1", FORCE_COLOR: "1" } },
    false,
  ],
  ["a pipe with FORCE_COLOR", { isTerminal: false, wanted: true, env: { FORCE_COLOR: "1" } }, true],
  ["a pipe with FORCE_COLOR=true", { isTerminal: false, wanted: true, env: { FORCE_COLOR: "true" } }, true],
  [
    "a pipe with an empty FORCE_COLOR, as chalk reads it",
    { isTerminal: false, wanted: true, env: { FORCE_COLOR: "" } },
    true,
  ],
  ["a terminal with FORCE_COLOR=0", { isTerminal: true, wanted: true, env: { FORCE_COLOR: "0" } }, false],
  [
    "a terminal with FORCE_COLOR=false",
    { isTerminal: true, wanted: true, env: { FORCE_COLOR: "false" } },
    false,
  ],
  ["a dumb terminal", { isTerminal: true, wanted: true, env: { TERM: "dumb" } }, false],
  [
    "a dumb terminal with FORCE_COLOR",
    { isTerminal: true, wanted: true, env: { TERM: "dumb", FORCE_COLOR: "1" } },
    true,
  ],
])("%s", (_name, question, colourful) => {
  expect(isColourful(question)).toBe(colourful);
});

test("plain paint changes nothing", () => {
  const { bold, dim, good, bad, caution, hint } = plainPaint;
  for (const style of [bold, dim, good, bad, caution, hint]) expect(style("text")).toBe("text");
});

test("colours are of the basic sixteen, which follow the person's theme", async () => {
  const paint = await openColourPaint();
  expect(paint.good("ok")).toBe("\u001b[32mok\u001b[39m");
  expect(paint.bad("no")).toBe("\u001b[31mno\u001b[39m");
  expect(paint.caution("hm")).toBe("\u001b[33mhm\u001b[39m");
  expect(paint.hint("do")).toBe("\u001b[36mdo\u001b[39m");
  expect(paint.bold("b")).toBe("\u001b[1mb\u001b[22m");
  expect(paint.dim("d")).toBe("\u001b[2md\u001b[22m");
});
