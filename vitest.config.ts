import { defineConfig } from "vitest/config";

const conditions = ["@pare/source"];
const exclude = ["**/node_modules/**", "**/dist/**"];
/** What waits for a time, or measures one: one file at a time, when all else is done. */
const heavy = [
  "runtime/src/**/in-chromium.test.ts",
  "bench/src/{engines,measure,compare}/**/*.test.ts",
  "cli/src/verbs/**/end-to-end.test.ts",
  "docs/guides/**/*.test.ts",
];
/** Functions of graphs, arrays and texts: they change nothing global and no module remembers, so that files share imports. */
const pure = [
  "compiler/**/*.test.ts",
  "runtime/src/format/{bundle,tensor}/**/*.test.ts",
  "bench/src/{metrics,report,statistics,timing}/**/*.test.ts",
  "cli/src/report/**/*.test.ts",
  "fixtures/scripts/**/*.test.ts",
];
/** Milliseconds; two files run at once, and some start browsers and bundlers. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000 };
const quick = {
  ...patient,
  maxWorkers: 2,
  sequence: { groupOrder: 0 },
  setupFiles: ["./.ci/property-seed.mjs"],
};
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      {
        ...shared,
        test: {
          ...quick,
          name: "pure",
          include: pure,
          exclude,
          isolate: false,
        },
      },
      {
        ...shared,
        test: {
          ...quick,
          name: "quick",
          include: ["{runtime,bench,cli,docs,fixtures}/**/*.test.ts"],
          exclude: [...exclude, ...heavy, ...pure],
        },
      },
      {
        ...shared,
        test: {
          ...patient,
          name: "engines",
          include: heavy,
          exclude,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
