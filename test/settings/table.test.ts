import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import {
  parseChoice,
  parseCount,
  settingNamed,
  settings,
  type SettingName,
} from "../../src/settings/table.ts";

describe.each<[SettingName, readonly (readonly [string, unknown])[]]>([
  [
    "ttl",
    [
      ["600", 600],
      ["10m", 600],
      ["2h", 7200],
      ["1h30m", 5400],
      ["7d", 604_800],
      ["4w", 2_419_200],
      ["0", 0],
      [" 5 ", 5],
      ["2147483647", 2_147_483_647],
    ],
  ],
  [
    "urgency",
    [
      ["very-low", "very-low"],
      ["low", "low"],
      ["normal", "normal"],
      ["HIGH", "high"],
    ],
  ],
  [
    "topic",
    [
      ["digest", "digest"],
      ["a-b_C9", "a-b_C9"],
      ["x".repeat(32), "x".repeat(32)],
    ],
  ],
  [
    "encoding",
    [
      ["aes128gcm", "aes128gcm"],
      ["aesgcm", "aesgcm"],
    ],
  ],
  [
    "timeout",
    [
      ["30", 30_000],
      ["30s", 30_000],
      ["500ms", 500],
      ["2m", 120_000],
      ["1.5s", 1500],
      ["0.001", 1],
      ["60m", 3_600_000],
      ["  7 ", 7000],
    ],
  ],
  [
    "concurrency",
    [
      ["1", 1],
      ["20", 20],
      ["1000", 1000],
      ["007", 7],
    ],
  ],
  ["proxy", [["http://proxy:8080", "http://proxy:8080"]]],
  ["ca", [["certs/ca.pem", "certs/ca.pem"]]],
])("%s", (name, values) => {
  test.each(values)("reads %j", (text, value) => {
    expect(settings[name].parse(text)).toEqual(value);
  });
});

test.each<[SettingName, string, string, string]>([
  ["ttl", "soon", "ttl", 'ttl "soon" is not a time'],
  ["ttl", "-1", "ttl", 'ttl "-1" is not a time'],
  ["ttl", "", "ttl", 'ttl "" is not a time'],
  ["ttl", "1.5h", "ttl", 'ttl "1.5h" is not a time'],
  ["ttl", "2147483648", "ttl", 'ttl "2147483648" is more than 2147483647 seconds'],
  ["urgency", "hihg", "urgency", 'urgency "hihg" is not known'],
  ["topic", "a b", "topic", 'topic "a b" contains " "'],
  ["topic", "x".repeat(33), "topic", "topic is 33 characters long, the most is 32"],
  ["topic", "abcde", "topic", 'topic "abcde" has 5 characters, a length Apple refuses'],
  ["encoding", "aes128", "choice", 'encoding cannot be "aes128"'],
  ["encoding", "AES128GCM", "choice", 'encoding cannot be "AES128GCM"'],
  ["timeout", "0", "timeout", 'timeout cannot be "0"'],
  ["timeout", "61m", "timeout", 'timeout cannot be "61m"'],
  ["timeout", "1h", "timeout", 'timeout cannot be "1h"'],
  ["timeout", "-5", "timeout", 'timeout cannot be "-5"'],
  ["timeout", "1e3", "timeout", 'timeout cannot be "1e3"'],
  ["concurrency", "0", "count", 'concurrency cannot be "0"'],
  ["concurrency", "1001", "count", 'concurrency cannot be "1001"'],
  ["concurrency", "2.5", "count", 'concurrency cannot be "2.5"'],
  ["concurrency", "many", "count", 'concurrency cannot be "many"'],
])("%s %j is refused with the code %s", (name, text, code, message) => {
  const error = refusalOf(() => settings[name].parse(text));
  expect({ code: error.code, message: error.message, kind: error.kind }).toEqual({
    code,
    message,
    kind: "input",
  });
  expect(error.hints).not.toEqual([]);
});

describe("a hint says what to do", () => {
  test("by the nearest word", () => {
    expect(refusalOf(() => settings.urgency.parse("hihg")).hints).toEqual(["did you mean high?"]);
    expect(refusalOf(() => settings.encoding.parse("aes128gmc")).hints).toEqual(["did you mean aes128gcm?"]);
  });

  test("by all of the words when none is near", () => {
    expect(refusalOf(() => settings.encoding.parse("rot13")).hints).toEqual(["use one of aes128gcm, aesgcm"]);
  });

  test("by the range", () => {
    expect(refusalOf(() => parseCount("concurrency", "0", 1000)).hints).toEqual([
      "use a whole number from 1 to 1000",
    ]);
    expect(refusalOf(() => settings.timeout.parse("1h")).hints).toEqual([
      "use a duration from 1ms to 60m, such as 30s or 2m",
    ]);
  });
});

test("the defaults are those that help and documentation name", () => {
  const fallbacks = Object.entries(settings).map(([name, { fallback }]) => [name, fallback]);
  expect(Object.fromEntries(fallbacks)).toEqual({
    ttl: 2_419_200,
    urgency: undefined,
    topic: undefined,
    encoding: undefined,
    timeout: 30_000,
    concurrency: 100,
    rate: undefined,
    retries: 4,
    patience: 300_000,
    proxy: undefined,
    ca: undefined,
  });
});

describe.each(Object.entries(settings))("the row of %s", (name, row) => {
  test("has a flag of the same name that takes a value", () => {
    expect(row.flag).toMatch(new RegExp(`^--${name} <\\w+>$`));
  });

  test("is explained in lower case, without a full stop, and short enough for help", () => {
    expect(row.doc).toMatch(/^(?:[a-z]|PEM|HTTP).*[^.]$/);
    expect(row.doc.length).toBeLessThan(90);
  });

  test("offers only choices that it takes", () => {
    const { choices = [] } = row as { choices?: readonly string[] };
    for (const choice of choices) expect(row.parse(choice)).toBe(choice);
  });
});

test("a setting is found by its own name only, never by one of every object", () => {
  expect(settingNamed("ttl")).toBe(settings.ttl);
  expect(["TTL", "toString", "__proto__", "constructor", ""].map((name) => settingNamed(name))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a choice is taken letter by letter", () => {
  expect(parseChoice("shell", "zsh", ["bash", "zsh"])).toBe("zsh");
  expect(refusalOf(() => parseChoice("shell", "tsh", ["bash", "zsh"]))).toMatchObject({ code: "choice" });
});

function refusalOf(parse: () => unknown): UserError {
  try {
    parse();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("it was taken");
}
