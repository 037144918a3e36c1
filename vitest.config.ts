import { defineConfig } from "vitest/config";

const conditions = ["@pare/source"];
const exclude = ["**/node_modules/**", "**/dist/**"];
/** What compares times: one file at a time, when all else is done. */
const timed = ["bench/src/{measure,compare}/**/*.test.ts", "docs/guides/first-model.test.ts"];
/** Functions of graphs, arrays and texts: they change nothing global and no module remembers, so that files share imports. */
const pure = [
  "compiler/**/*.test.ts",
  "runtime/src/{format/{bundle,tensor},session}/**/*.test.ts",
  "bench/src/{metrics,report,statistics,timing}/**/*.test.ts",
  "cli/src/{config,report,terminal}/**/*.test.ts",
  "fixtures/scripts/**/*.test.ts",
];
/** Milliseconds; two files run at once, and some start engines, browsers and bundlers. */
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
          exclude: [...exclude, ...timed, ...pure],
        },
      },
      {
        ...shared,
        test: {
          ...patient,
          name: "timed",
          include: timed,
          exclude,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
