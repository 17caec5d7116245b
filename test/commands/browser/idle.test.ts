/** Flags about a browser where none is opened. */
import { expect, test } from "vitest";
import { runMain } from "../../support/run-cli.ts";

test.each([
  [["--headless"], "warning: --headless does nothing without --browser"],
  [["--headless", "--executable", "/x"], "warning: --headless and --executable do nothing without --browser"],
])("demo %j without a browser says that they do nothing", async (flags, warning) => {
  const { exitCode, stderr } = await runMain(["demo", "--quiet", ...flags]);
  expect(stderr.trim()).toBe(warning);
  expect(exitCode).toBe(0);
});

test("the emulator says so too, and needs no browser for it", async () => {
  const { stderr } = await runMain(["emulator", "--port", "0", "--quiet", "--executable", "/nowhere"], {
    signal: AbortSignal.abort(),
  });
  expect(stderr).toContain("warning: --executable does nothing without --open");
});
