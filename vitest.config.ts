import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // In CI a report is left for the counts in the last line of .ci/run.
    reporters: process.env["CI"] ? ["default", "json"] : ["default"],
    outputFile: { json: "coverage/vitest.json" },
    // Spawned binaries and browsers share two cores with everything else; limits are for hangs, not for speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
