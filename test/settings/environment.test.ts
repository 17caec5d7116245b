import { describe, expect, test } from "vitest";
import { parseSwitch, twinOf, variable } from "../../src/settings/environment.ts";

test.each([
  ["--ttl", "WEBPUSH_TTL"],
  ["--no-prune", "WEBPUSH_NO_PRUNE"],
  ["--config-dir", "WEBPUSH_CONFIG_DIR"],
  ["--p256dh", "WEBPUSH_P256DH"],
])("the twin of %s is %s", (flag, twin) => {
  expect(twinOf(flag)).toBe(twin);
});

test.each(["1", "true", "yes", "on", "TRUE", " On "])("%j switches on", (text) => {
  expect(parseSwitch("WEBPUSH_JSON", text)).toBe(true);
});

test.each(["", "0", "false", "no", "off", "FALSE", " "])("%j switches off", (text) => {
  expect(parseSwitch("WEBPUSH_JSON", text)).toBe(false);
});

test("anything else is no yes or no, and the variable is named", () => {
  expect(() => parseSwitch("WEBPUSH_JSON", "maybe")).toThrow(
    expect.objectContaining({
      code: "environment",
      message: 'WEBPUSH_JSON cannot be "maybe"',
      hints: ["use 1 or 0"],
    }),
  );
});

describe("a variable", () => {
  test("is read by the first of its names that is set", () => {
    expect(variable({ NEW: "a", OLD: "b" }, "NEW", "OLD")).toBe("a");
    expect(variable({ OLD: "b" }, "NEW", "OLD")).toBe("b");
    expect(variable({}, "NEW", "OLD")).toBeUndefined();
  });

  test("that is empty or blank counts as unset, as CI systems leave them", () => {
    expect(variable({ NEW: "", OLD: "b" }, "NEW", "OLD")).toBe("b");
    expect(variable({ NEW: "  " }, "NEW")).toBeUndefined();
  });

  test("loses the line break that a secret file ends with", () => {
    expect(variable({ KEY: "abc\n" }, "KEY")).toBe("abc");
  });
});
