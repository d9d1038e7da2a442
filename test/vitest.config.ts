import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "test/**/*.test.tsx"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: the story and browser tests start whole systems and must not run beside each other.
    maxWorkers: 2,
  },
});
