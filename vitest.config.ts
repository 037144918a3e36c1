import { defineConfig } from "vitest/config";

const conditions = ["@pare/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["{runtime,compiler,bench,cli,docs,fixtures}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 60_000,
    reporters: ["default"],
  },
});
