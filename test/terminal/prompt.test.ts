import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { absentPrompt, createPrompt } from "../../src/terminal/prompt.ts";

/** A prompt on streams of its own; `typed` types the next keys as soon as `shown` is on the screen. */
function openScreen() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const abort = new AbortController();
  let screen = "";
  const waiting: { shown: string; keys: string }[] = [];
  output.on("data", (chunk: Buffer) => {
    screen += chunk.toString("utf8");
    const next = waiting[0];
    if (next === undefined || !screen.includes(next.shown)) return;
    waiting.shift();
    screen = "";
    setImmediate(() => input.write(next.keys)); // The question listens once it is drawn.
  });
  return {
    prompt: createPrompt({ input: () => input, output, signal: abort.signal }),
    abort,
    input,
    when: (shown: string, keys: string) => void waiting.push({ shown, keys }),
  };
}

test.each([
  ["y\r", true],
  ["\r", false],
  ["n\r", false],
])("a yes-or-no question that assumes no takes %j for %j", async (keys, answer) => {
  const { prompt, when } = openScreen();
  when("remove 2?", keys);
  expect(await prompt.confirm("remove 2?", false)).toBe(answer);
});

test("an answer that cannot be read is explained and asked for again", async () => {
  const { prompt, when } = openScreen();
  const parse = (text: string): number => {
    if (/^\d+$/.test(text)) return Number(text);
    throw new UserError("count", `count cannot be "${text}"`, { hints: ["use a number"] });
  };
  when("how many", "x\r");
  when('count cannot be "x"; use a number', "\b7\r");
  expect(await prompt.input("how many", parse)).toBe(7);
});

test("a choice is made with the arrow keys", async () => {
  const { prompt, when } = openScreen();
  when("which", "\u001b[B\r");
  const choices = [
    { name: "first", value: 1 },
    { name: "second", value: 2 },
  ];
  expect(await prompt.select("which", choices)).toBe(2);
});

test("Ctrl-C at a question ends the run as interrupted", async () => {
  const { prompt, when } = openScreen();
  when("sure?", "\u0003");
  await expect(prompt.confirm("sure?", false)).rejects.toMatchObject({
    code: "interrupted",
    kind: "interrupted",
  });
});

test("Ctrl-D at a question ends the run as interrupted too", async () => {
  const { prompt, when } = openScreen();
  when("sure?", "\u0004");
  await expect(prompt.confirm("sure?", false)).rejects.toMatchObject({ code: "interrupted" });
});

test("so does a terminal that goes away", async () => {
  const { prompt, input } = openScreen();
  const asked = prompt.confirm("sure?", false);
  input.end();
  await expect(asked).rejects.toMatchObject({ code: "interrupted" });
});

test("a run that is told to stop leaves its question", async () => {
  const { prompt, abort } = openScreen();
  const asked = prompt.confirm("sure?", false);
  abort.abort();
  await expect(asked).rejects.toMatchObject({ code: "interrupted" });
});

test("where nobody can answer, asking is a bug of ours", () => {
  expect(absentPrompt.available).toBe(false);
  expect(() => absentPrompt.confirm("sure?", false)).toThrow('asked "sure?" where nobody can answer');
});
