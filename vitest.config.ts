import { defineConfig } from "vitest/config";

const conditions = ["@pare/source"];
const exclude = ["**/node_modules/**", "**/dist/**"];
/** What starts browsers, bundlers and engines of its own: one file at a time, when all else is done. */
const heavy = [
  "runtime/src/**/in-chromium.test.ts",
  "bench/src/{engines,measure,compare}/**/*.test.ts",
  "cli/src/main.test.ts",
  "cli/src/verbs/**/end-to-end.test.ts",
  "docs/{examples,guides}/**/*.test.ts",
];
/** Functions of a graph: nothing global is changed for good and no module remembers, so that files share imports. */
const pure = ["compiler/**/*.test.ts"];
const quick = {
  maxWorkers: 2,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  sequence: { groupOrder: 0 },
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
          exclude: [...exclude, ...heavy],
        },
      },
      {
        ...shared,
        test: {
          name: "engines",
          include: heavy,
          exclude,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
