import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: ["./test/node-version.ts"],
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    typecheck: { enabled: true, include: ["src/**/*.test-d.ts"], checker: "tsc", tsconfig: "./tsconfig.json" },
    pool: "forks",
    testTimeout: 30_000,
  },
});
export default config;
