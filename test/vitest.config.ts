import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "test/**/*.test.tsx"],
    // Bounds of what hangs, not measures: far above what anything takes on a busy machine with one core.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    // Two cores: the story and browser tests start whole systems and must not run beside each other.
    maxWorkers: 2,
  },
});
