import { expect, test } from "vitest";
import { parseAddress } from "../../../src/commands/worker/values.ts";

test.each([
  ["9464", "127.0.0.1", 9464],
  [":9464", "127.0.0.1", 9464],
  ["0.0.0.0:9464", "0.0.0.0", 9464],
  ["localhost:0", "localhost", 0],
  ["[::1]:80", "::1", 80],
  ["[::]:65535", "::", 65_535],
])("--health %s", (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port });
});

test.each(["", "x", "65536", "host:", "::1:80", "[::1]", "http://localhost:9464", "a b:1", "9464/metrics"])(
  "--health %j is no address",
  (text) => {
    expect(() => parseAddress(text)).toThrow("--health cannot listen on");
  },
);
