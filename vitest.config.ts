import { defineConfig } from "vitest/config";

/** Tests that start a stock Chromium or Firefox. */
const realBrowsers = "test/**/{browser,*.browser}.test.ts";

export default defineConfig({
  test: {
    // In CI a report is left for the counts in the last line of .ci/run.
    reporters: process.env["CI"] ? ["default", "json"] : ["default"],
    outputFile: { json: "coverage/vitest.json" },
    // Spawned binaries and browsers share two cores with everything else; limits are for hangs, not for speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "webpush",
          include: ["test/**/*.test.ts"],
          exclude: [realBrowsers],
          globalSetup: "test/support/postgres-run.ts",
        },
      },
      {
        extends: true,
        // Once more if a browser hung: on a busy machine one start in hundreds does, and it is not ours to mend.
        test: { name: "browsers", include: [realBrowsers], retry: 1 },
      },
    ],
  },
});
