import { defineConfig } from "vitest/config";

const conditions = ["@pare/source"];
const exclude = ["**/node_modules/**", "**/dist/**"];
/** What compares times: one file at a time, when all else is done. */
const timed = ["bench/src/{measure,compare}/**/*.test.ts"];
/** They change nothing global and no module remembers, so that files share imports: those of the compiler take a second. */
const sharing = [
  "compiler/**/*.test.ts",
  "runtime/src/{format/{bundle,tensor},session}/**/*.test.ts",
  "bench/src/{metrics,report,statistics,timing}/**/*.test.ts",
  "cli/src/{config,report,terminal,workbench}/**/*.test.ts",
  "cli/src/cache/{cache-state,entry,entry-file,own-folder,place,prune}.test.ts",
  "cli/src/data/{arrays,describe-splits,fit-feeds,images,splits,spread-order}.test.ts",
  "cli/src/platform/{files,lock,make-folder,write-bundle}.test.ts",
  "cli/src/verbs/{distill,prune}/*.test.ts",
  "docs/{measured,reference}/*.test.ts",
  "fixtures/scripts/**/*.test.ts",
];
/** Milliseconds; files run beside others, and some start engines, browsers and bundlers. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000 };
const quick = {
  ...patient,
  // One more than small machines have cores: a file often waits for a process that it started.
  maxWorkers: 3,
  sequence: { groupOrder: 0 },
  setupFiles: ["./.ci/property-seed.mjs"],
};
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

// Of one group, vitest takes projects by their names: "apart" has the long files, and those of "sharing" fill up at the end.
export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      {
        ...shared,
        test: {
          ...quick,
          name: "apart",
          include: ["{runtime,bench,cli,docs,fixtures}/**/*.test.ts"],
          exclude: [...exclude, ...timed, ...sharing],
        },
      },
      {
        ...shared,
        test: {
          ...quick,
          name: "sharing",
          include: sharing,
          exclude,
          isolate: false,
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
