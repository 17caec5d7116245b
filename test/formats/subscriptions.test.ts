import { createECDH } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { subscriptionLines } from "../../src/formats/subscription-export.ts";
import {
  readSubscriptions,
  subscriptionFormats,
  type ImportEntry,
  type LabelledSubscription,
} from "../../src/formats/subscriptions.ts";
import { formatSubscription, parseSubscription } from "../../src/protocol/subscription.ts";

const p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const auth = "BTBZMqHH6r4Tts7J_aSIgg";
const vapidKey = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

const alice = { endpoint: "https://push.example/alice", keys: { p256dh, auth } };
const bob = { endpoint: "https://push.example/bob", keys: { p256dh, auth } };

async function formatted(
  records: readonly LabelledSubscription[],
  format: (typeof subscriptionFormats)[number],
): Promise<string> {
  const all = async function* (): AsyncGenerator<LabelledSubscription> {
    for (const record of records) yield await Promise.resolve(record);
  };
  let text = "";
  for await (const line of subscriptionLines(all(), format)) text += `${line}\n`;
  return text;
}

async function* stream(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield await Promise.resolve(line);
}

async function collect(entries: AsyncIterable<ImportEntry>): Promise<ImportEntry[]> {
  const all: ImportEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

/** One line per entry: where, who, which; or where and why not. */
function summarize(entries: Iterable<ImportEntry>): string[] {
  return Array.from(entries, (entry) => {
    if (!entry.ok) return `${entry.at}: ${entry.error.code}: ${entry.error.message}`;
    const labels = [entry.name ?? "", ...entry.tags.map((tag) => `#${tag}`)].filter((label) => label !== "");
    return [
      `${entry.at}: ${entry.subscription.endpoint.slice("https://push.example/".length)}`,
      ...labels,
    ].join(" ");
  });
}

const readText = async (text: string): Promise<string[]> =>
  summarize(await collect(readSubscriptions(stream(text.split("\n")))));

describe("a stream of lines", () => {
  const read = readText;

  test.each<[string, string, string[]]>([
    ["nothing", "", []],
    ["blank lines", "\n \n", []],
    ["an empty list", "[]", []],
    ["NDJSON", `${JSON.stringify(alice)}\n${JSON.stringify(bob)}\n`, ["line 1: alice", "line 2: bob"]],
    [
      "NDJSON with CRLF, blank lines, a byte order mark and commas",
      `\uFEFF\r\n${JSON.stringify(alice)},\r\n\r\n${JSON.stringify(bob)},\r\n`,
      ["line 2: alice", "line 4: bob"],
    ],
    [
      "NDJSON with labels",
      [
        JSON.stringify({ ...alice, name: "Alice", tags: ["vip", "de"] }),
        JSON.stringify({ name: "Bob", tags: "vip, de", subscription: bob }),
      ].join("\n"),
      ["line 1: alice Alice #vip #de", "line 2: bob Bob #vip #de"],
    ],
    [
      "NDJSON with a bad line, a cut line and one that is no JSON",
      [
        JSON.stringify(alice),
        '{"endpoint":"https://push.example/x"}',
        '{"endpoint":"https://push.ex',
        JSON.stringify(bob).slice(0, -1),
        JSON.stringify(bob),
        "hello",
        '{"keys":',
      ].join("\n"),
      [
        "line 1: alice",
        "line 2: subscription-malformed: subscription has an endpoint but no keys",
        "line 3: subscription-malformed: subscription is not JSON",
        "line 4: subscription-malformed: subscription is unfinished JSON",
        "line 5: bob",
        "line 6: subscription-malformed: subscription is not JSON",
        "line 7: subscription-malformed: subscription is unfinished JSON",
      ],
    ],
    [
      "a broken object over many lines, then a good one",
      `{\n"endpoint": "https://push.ex\n"p256dh": "x",\n"auth": "y"\n}\n${JSON.stringify(bob)}`,
      ["line 1: subscription-malformed: subscription is not JSON", "line 6: bob"],
    ],
    [
      "objects printed one after the other by jq",
      [alice, bob].map((one) => JSON.stringify(one, null, 2)).join("\n"),
      ["line 1: alice", "line 8: bob"],
    ],
    [
      "CSV",
      `endpoint,p256dh,auth\nhttps://push.example/alice,${p256dh},${auth}\nhttps://push.example/bob,${p256dh},${auth}`,
      ["line 2: alice", "line 3: bob"],
    ],
    [
      "CSV with other headings, semicolons, CRLF, a byte order mark and blank lines",
      [
        '\uFEFF"Name";"Endpoint";"keys.p256dh";"Auth Key";Tags;expiration_time;other',
        `Alice;https://push.example/alice;${p256dh};${auth};"vip;de";;x`,
        "",
        ";;;;;;",
        `"Bob; the ""builder""";https://push.example/bob;${p256dh};${auth};vip de;1700000000000`,
        "",
      ].join("\r\n"),
      ["line 2: alice Alice #vip #de", 'line 5: bob Bob; the "builder" #vip #de'],
    ],
    [
      "CSV with a column of JSON",
      `name\tsubscription\nAlice\t"${JSON.stringify(alice).replaceAll('"', '""')}"`,
      ["line 2: alice Alice"],
    ],
    [
      "CSV with a bad row",
      `endpoint,p256dh,auth\nhttps://push.example/x,${p256dh}\nhttps://push.example/bob,${p256dh},${auth}`,
      ["line 2: subscription-malformed: subscription has no auth", "line 3: bob"],
    ],
    [
      "CSV with a quote that is never closed",
      `endpoint,p256dh,auth\nhttps://push.example/alice,${p256dh},${auth}\nhttps://push.example/bob,"${p256dh},${auth}\n`,
      [
        "line 2: alice",
        "line 3: subscription-malformed: subscription cannot be read: a quote is opened and not closed",
      ],
    ],
  ])("%s", async (_name, text, entries) => {
    expect(await read(text)).toEqual(entries);
  });

  test.each<[string, unknown, string[]]>([
    ["one subscription", alice, ["alice"]],
    [
      "one stored record",
      { id: "x", name: "Alice", tags: ["vip"], subscription: alice },
      ["alice Alice #vip"],
    ],
    ["a list", [alice, { ...bob, label: "Bob" }], ["alice", "bob Bob"]],
    ["a map by name", { Alice: alice, Bob: bob }, ["alice Alice", "bob Bob"]],
    [
      "a map whose keys are the endpoints",
      { [alice.endpoint]: alice, [bob.endpoint]: bob },
      ["alice", "bob"],
    ],
    ["a map of lists", { Alice: [alice], Bob: [alice, bob] }, ["alice Alice", "alice #Bob", "bob #Bob"]],
    ["a list in a wrapper", { version: 1, subscriptions: [alice, bob] }, ["alice", "bob"]],
    ["a map in a wrapper", { subscriptions: { Alice: alice, Bob: bob } }, ["alice Alice", "bob Bob"]],
    [
      "a map with people called endpoint and keys",
      { endpoint: alice, keys: bob },
      ["alice endpoint", "bob keys"],
    ],
    [
      "a map with someone called subscription",
      { subscription: alice, Bob: bob },
      ["alice subscription", "bob Bob"],
    ],
    [
      "a map with a bad entry",
      { Alice: alice, Bob: 7 },
      ["alice Alice", "subscription-malformed: subscription is a number, not an object"],
    ],
    [
      "a map of one bad entry",
      { Alice: {} },
      ["subscription-malformed: subscription has no endpoint and no p256dh and no auth"],
    ],
    [
      "a subscription without endpoint",
      { keys: { p256dh, auth } },
      ["subscription-malformed: subscription has no endpoint"],
    ],
    [
      "a name that is no text",
      [{ ...alice, name: {} }],
      ["subscription-malformed: subscription has a name that is not text"],
    ],
    [
      "tags that are no words",
      [{ ...alice, tags: [{}] }],
      ["subscription-malformed: subscription has a tag that is not text"],
    ],
  ])("%s, in one line or pretty-printed", async (_name, value, entries) => {
    const withoutPlace = (lines: readonly string[]): string[] =>
      lines.map((line) => line.replace(/^(?:line \d+|entry \d+|"[^"]*"|, )+: /, ""));
    expect(withoutPlace(await read(JSON.stringify(value)))).toEqual(entries);
    expect(withoutPlace(await read(JSON.stringify(value, null, 2)))).toEqual(entries);
  });

  test("a list in the style of some printers, and commas after the last", async () => {
    const [a, b] = [alice, bob].map((one) => JSON.stringify(one, null, 1).slice(1, -1).trim());
    const text = `[{\n${a ?? ""},\n}, {\n${b ?? ""}\n},]`;
    expect(await read(text)).toHaveLength(2);
    expect(await read(text.replace("[{", "[\n{").replace(",]", "\n]"))).toHaveLength(2);
  });

  test.each(["__proto__", "constructor", "prototype"])("the name %s is refused", async (name) => {
    const map = `{"Alice":${JSON.stringify(alice)},"${name}":${JSON.stringify(bob)}}`;
    const list = `[{"name":"${name}",${JSON.stringify(alice).slice(1)}]`;
    const csv = `name,endpoint,p256dh,auth\n${name},https://push.example/alice,${p256dh},${auth}`;
    const refusal = expect.stringContaining(`name-reserved: the name ${name} is reserved`) as unknown;
    expect((await read(map)).at(-1)).toEqual(refusal);
    expect(await read(list)).toEqual([refusal]);
    expect(await read(csv)).toEqual([refusal]);
  });

  test("a column named __proto__ is only a column", async () => {
    const csv = `__proto__,endpoint,p256dh,auth\nx,https://push.example/alice,${p256dh},${auth}`;
    expect(await read(csv)).toEqual(["line 2: alice"]);
  });

  test.each([
    ["hello", "the text is neither JSON nor CSV with a heading"],
    ["[object Object]", 'the text is the text "[object Object]"'],
    ["https://push.example/alice\nhttps://push.example/bob", "the text is an endpoint alone, without keys"],
    [`https://push.example/alice,${p256dh},${auth}`, "the text is CSV without a heading line"],
    ["<!doctype html>", "the text is neither JSON nor CSV with a heading"],
    ['{\n"endpoint":\n', "the text begins like JSON and does not end"],
  ])("%j is refused as a whole", async (text, message) => {
    const reading = Promise.resolve().then(() => read(text));
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toMatchObject({ code: "subscriptions-unreadable", message });
  });

  test.each(['{"subscription":', '{"subscriptions":', '{"a":', "["])(
    "%s nested without end is refused",
    async (open) => {
      const close = open === "[" ? "]" : "}";
      const deep = `${open.repeat(20_000)}{}${close.repeat(20_000)}`;
      for (const text of [deep, deep.replaceAll(open, `${open}\n`), open.repeat(20_000)]) {
        const lines = await read(text).catch((error: unknown) => [
          error instanceof UserError ? error.code : "bug",
        ]);
        expect(lines).not.toHaveLength(0);
        expect(lines.filter((line) => !/subscription-malformed|subscriptions-unreadable/.test(line))).toEqual(
          [],
        );
      }
    },
  );

  test("throws nothing but UserErrors, whatever comes", async () => {
    const junk = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.array(fc.oneof(fc.json(), fc.string()), { maxLength: 5 }).map((lines) => lines.join("\n")),
      fc.string({ unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ",", ":", "\n", "1", " ") }),
      fc
        .string({ unit: fc.constantFrom('"', ",", "\n", "a", ";", " ") })
        .map((rows) => `endpoint,auth\n${rows}`),
    );
    await fc.assert(
      fc.asyncProperty(junk, async (text) => {
        try {
          await read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("places", () => {
  test("a JSON text names lines, entries, people, or all of them", async () => {
    expect(await readText(JSON.stringify([alice, bob]))).toEqual([
      "line 1, entry 1: alice",
      "line 1, entry 2: bob",
    ]);
    expect(await readText(JSON.stringify({ Al: [alice, bob] }))).toEqual([
      'line 1, "Al", entry 1: alice #Al',
      'line 1, "Al", entry 2: bob #Al',
    ]);
  });
});

describe("what is written is read back the same", () => {
  const labelled = fc.record({
    subscription: fc
      .record({
        endpoint: fc.webPath().map((path) => `https://push.example/w/?token=%2b${path}`),
        expirationTime: fc.option(fc.nat()),
        p256dh: fc.constant(p256dh),
        auth: fc.oneof(
          fc.constant("-CBZMqHH6r4Tts7J_aSIgg"),
          fc
            .uint8Array({ minLength: 16, maxLength: 16 })
            .map((bytes) => Buffer.from(bytes).toString("base64url")),
        ),
        applicationServerKey: fc.constantFrom(undefined, vapidKey),
        contentEncoding: fc.constantFrom("aes128gcm", "aesgcm"),
      })
      .map(parseSubscription),
    name: fc.option(
      fc
        .oneof(
          fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
          fc.string({
            unit: fc.constantFrom(",", '"', ";", "\n", "\t", "-", "=", "@", "[", " ", "é", "\uFEFF"),
          }),
          fc.constantFrom('O"Neil, "Ann"', "-rf", "=1+1", "two\nlines", "名前", " edges ", "null"),
        )
        .filter((name) => name.trim() !== "" && !["__proto__", "constructor", "prototype"].includes(name)),
      { nil: undefined },
    ),
    tags: fc.uniqueArray(
      fc.oneof(fc.constantFrom("vip", "a b", "[x]", "-t", "ü,;"), fc.string({ minLength: 1 })),
    ),
  });
  const plain = ({ subscription, name, tags }: LabelledSubscription): unknown => ({
    ...formatSubscription(subscription),
    name,
    tags,
  });

  test.each(subscriptionFormats)("%s", async (format) => {
    await fc.assert(
      fc.asyncProperty(fc.array(labelled, { maxLength: 5 }), async (records) => {
        const text = await formatted(records, format);
        const expected = records.map(plain);
        const streamed = await collect(readSubscriptions(stream(text.split("\n"))));
        expect(streamed.map((entry) => entry.ok && plain(entry))).toEqual(expected);
      }),
    );
  });

  test("CSV leaves text that looks like a formula alone", async () => {
    const record = {
      subscription: parseSubscription({ ...alice, keys: { p256dh, auth: "-CBZMqHH6r4Tts7J_aSIgg" } }),
    };
    const csv = await formatted([{ ...record, name: "=1+1", tags: ["@x"] }], "csv");
    expect(csv.split("\n")[1]).toBe(`https://push.example/alice,${p256dh},-CBZMqHH6r4Tts7J_aSIgg,,,,=1+1,@x`);
  });
});

describe("a long stream", { timeout: 60_000 }, () => {
  const key = createECDH("prime256v1").generateKeys("base64url");

  async function lookAhead(
    total: number,
    lineOf: (n: number) => string,
    head: readonly string[] = [],
  ): Promise<number> {
    let given = 0;
    async function* lines(): AsyncGenerator<string> {
      yield* head;
      for (; given < total; given += 1) yield await Promise.resolve(lineOf(given));
    }
    let taken = 0;
    let furthest = 0;
    for await (const entry of readSubscriptions(lines())) {
      if (entry.ok) taken += 1;
      furthest = Math.max(furthest, given - taken);
    }
    expect(taken).toBe(total);
    return furthest;
  }

  test("of 100 000 NDJSON lines is never more than one ahead of its reader", async () => {
    const line = (n: number): string =>
      `{"endpoint":"https://a.example/${n}","p256dh":"${key}","auth":"${auth}"}`;
    expect(await lookAhead(100_000, line)).toBeLessThanOrEqual(1);
  });

  test("of 20 000 CSV rows is a few kilobytes ahead of its reader", async () => {
    const line = (n: number): string => `https://a.example/${n},${key},${auth}`;
    expect(await lookAhead(20_000, line, ["endpoint,p256dh,auth"])).toBeLessThanOrEqual(256);
  });

  test.each([
    ["NDJSON", [JSON.stringify(alice), JSON.stringify(bob)]],
    [
      "CSV",
      ["endpoint,p256dh,auth", `${alice.endpoint},${p256dh},${auth}`, `${bob.endpoint},${p256dh},${auth}`],
    ],
  ])("of %s is closed when its reader leaves early", async (_, lines) => {
    let isClosed = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        yield* stream(lines);
        for (;;) yield await nextTurn("");
      } finally {
        isClosed = true;
      }
    }
    for await (const entry of readSubscriptions(endless())) {
      expect(entry.ok).toBe(true);
      break;
    }
    expect(isClosed).toBe(true);
  });

  test("that fails, fails its reader with the same error", async () => {
    async function* failing(): AsyncGenerator<string> {
      yield* stream(["endpoint,p256dh,auth", `${alice.endpoint},${p256dh},${auth}`]);
      throw new Error("disk gone");
    }
    await expect(collect(readSubscriptions(failing()))).rejects.toThrow("disk gone");
  });
});
