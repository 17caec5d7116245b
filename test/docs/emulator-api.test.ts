/** docs/emulator-api.md tells the truth: its requests are made, in order, and answered as shown; its tables name what there is. */
import { describe, expect, test } from "vitest";
import { conditionWords, parameterWords, signatureOf, toxicWords } from "../../src/emulator/faults/words.ts";
import { sendTo } from "../emulator/sending.ts";
import { call, openTestEmulator } from "../emulator/wire.ts";
import { codeBlocksOf, readPage, rowsOf, sectionsOf } from "./markdown.ts";

const page = readPage("docs/emulator-api.md");

interface Example {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** What is shown as its answer, when something is. */
  readonly answer: string | undefined;
}

function examples(): readonly Example[] {
  const blocks = codeBlocksOf(page);
  return blocks.flatMap(({ language, text }, index) => {
    const [, method, path, body = ""] = /^(\S+) (\S+)\n(?:\n([^]*))?$/.exec(text) ?? [];
    if (language !== "http" || method === undefined || path === undefined) return [];
    const next = blocks[index + 1];
    return [{ method, path, body, answer: next?.language === "json" ? next.text : undefined }];
  });
}

/** A value with what differs from run to run taken out: ids, keys, ports and what hangs on them. */
function normalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, normalisedField(name, field)]),
    );
  if (typeof value !== "string") return value;
  return value.replace(/127\.0\.0\.1:\d+/g, "HOST").replace(/[\w-]{20,}/g, "ID");
}

function normalisedField(name: string, field: unknown): unknown {
  const differs = ["body", "authorization", "exp", "content-length"];
  return differs.includes(name) ? typeof field : normalised(field);
}

test("every request is answered as shown", async () => {
  await using emulator = await openTestEmulator();
  const another = emulator.control.subscribe({});
  await sendTo(another, "Hello", {
    now: emulator.clock.now(),
    ttlSeconds: 600,
    urgency: "high",
    topic: "news",
  });
  const anotherId = another.endpoint.slice(another.endpoint.lastIndexOf("/") + 1);
  let id = "";
  for (const { method, path, body, answer } of examples()) {
    const url = `${emulator.origin}${path}`.replace("{id}", id).replace("{another}", anotherId);
    const headers = { authorization: `Bearer ${emulator.apiToken}`, "content-type": "application/json" };
    const got = await call(method, url, { headers, body });
    const what = `${method} ${path}: ${got.body.toString()}`;
    expect(got.status, what).toBeLessThan(300);
    if (path === "/api/subscriptions" && method === "POST")
      id = /\/([^/"]+)"/.exec(got.body.toString())?.[1] ?? "";
    if (answer === undefined) continue;
    const given = JSON.parse(got.body.toString()) as { subscriptions?: { id: string }[] };
    // The page does not speak of the other subscription before it is needed.
    const shown = {
      ...given,
      ...(given.subscriptions && { subscriptions: given.subscriptions.filter((one) => one.id === id) }),
    };
    expect(normalised(shown), what).toEqual(normalised(JSON.parse(answer)));
  }
  expect(examples().length).toBeGreaterThan(12);
});

describe("the words of faults", () => {
  test.each([
    ["What can go wrong", toxicWords],
    ["Details", parameterWords],
    ["Conditions", conditionWords],
  ] as const)("%s", (heading, words) => {
    const section = sectionsOf(page).find((one) => one.heading === heading);
    const expected = Array.from(words, ([name, word]) => [signatureOf(name, word), word.doc]);
    expect(rowsOf(section?.text ?? "")).toEqual(expected);
  });
});
