import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import {
  checkPayloadSize,
  parseTopic,
  parseTtl,
  parseUrgency,
  urgencies,
} from "../../src/protocol/message.ts";
import { errorOf } from "../support/thrown.ts";

describe("a ttl", () => {
  test.each([
    ["0", 0],
    ["600", 600],
    [" 600 ", 600],
    ["90s", 90],
    ["10m", 600],
    ["2h", 7200],
    ["1h30m", 5400],
    ["28d", 2_419_200],
    ["4w", 2_419_200],
    ["2147483647", 2_147_483_647],
  ])("of %j is %i seconds", (text, seconds) => {
    expect(parseTtl(text)).toBe(seconds);
  });

  test.each(["", "-1", "1.5h", "1e3", "10x", "m", "10 m", "0x10", "forever", "١٢"])(
    "of %j is no time",
    (text) => {
      expect(errorOf(() => parseTtl(text))).toMatchObject({
        code: "ttl",
        message: `ttl ${JSON.stringify(text)} is not a time`,
      });
    },
  );

  test.each(["2147483648", "9999w", "9".repeat(400)])("of %j is too long", (text) => {
    expect(errorOf(() => parseTtl(text)).message).toContain("is more than 2147483647 seconds");
  });
});

describe("an urgency", () => {
  test.each(urgencies)("may be %s, in any case", (urgency) => {
    expect(parseUrgency(urgency.toUpperCase())).toBe(urgency);
  });

  test.each([
    ["hihg", "did you mean high?"],
    ["verylow", "did you mean very-low?"],
    ["critical", "use one of very-low, low, normal, high"],
  ])("of %j is refused with help", (text, hint) => {
    expect(errorOf(() => parseUrgency(text))).toMatchObject({ code: "urgency", hints: [hint] });
  });
});

describe("a topic", () => {
  test.each(["ab", "abc", "news", "-_-_", "a".repeat(32)])("may be %s", (text) => {
    expect(parseTopic(text)).toBe(text);
  });

  test.each([
    ["", "topic is empty"],
    ["a b", 'topic "a b" contains " "'],
    ["a\r\nx: y", 'contains "\\r"'],
    ["grüße", 'contains "ü"'],
    ["a=", 'contains "="'],
    ["a".repeat(33), "topic is 33 characters long, the most is 32"],
    ["a", 'topic "a" has 1 character, a length Apple refuses'],
    ["12345", "a length Apple refuses"],
    ["a".repeat(29), "a length Apple refuses"],
  ])("of %j is refused", (text, message) => {
    const error = errorOf(() => parseTopic(text));
    expect(error.code).toBe("topic");
    expect(error.message).toContain(message);
  });
});

describe("a payload", () => {
  test("may have 3993 bytes, or 4078 in the old encoding", () => {
    expect(checkPayloadSize(3993, "aes128gcm")).toEqual({ bytes: 3993, limit: 3993 });
    expect(checkPayloadSize(4078, "aesgcm")).toEqual({ bytes: 4078, limit: 4078 });
  });

  test.each([
    [4012, "payload is 4 012 bytes, the most is 3 993"],
    [1_234_567, "payload is 1 234 567 bytes, the most is 3 993"],
  ])("of %i bytes is refused", (bytes, message) => {
    expect(errorOf(() => checkPayloadSize(bytes, "aes128gcm"))).toMatchObject({
      code: "payload-too-large",
      message,
    });
  });
});

test("whatever the text, these parsers throw only UserErrors and let only safe header values pass", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.constantFrom(parseTtl, parseTopic, parseUrgency),
      (text, parse) => {
        try {
          expect(String(parse(text))).toMatch(/^[\w-]+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      },
    ),
  );
});
