import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const config: ViteUserConfig = defineConfig({
  // The examples name the package, as its users do.
  resolve: {
    alias: [
      { find: /^perdure$/, replacement: source("./src/index.ts") },
      { find: /^perdure\/testing$/, replacement: source("./src/testing/index.ts") },
    ],
  },
  test: {
    globalSetup: ["./test/node-version.ts"],
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    typecheck: { enabled: true, include: ["src/**/*.test-d.ts"], checker: "tsc", tsconfig: "./tsconfig.json" },
    pool: "forks",
    // Much of the time is waiting, for processes that are killed and started again: one worker for each core, also where there are two.
    maxWorkers: availableParallelism(),
    testTimeout: 60_000,
  },
});
export default config;
