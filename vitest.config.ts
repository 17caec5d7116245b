import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Spawned binaries and browsers share two cores with everything else; limits are for hangs, not for speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
