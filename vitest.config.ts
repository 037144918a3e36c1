import { defineConfig } from "vitest/config";

const conditions = ["@pare/source"];
const exclude = ["**/node_modules/**", "**/dist/**"];
/** What compares times: one file at a time, when all else is done. A GPU that is emulated, in whole.test.ts, is not timed. */
const timed = ["bench/src/compare/**/*.test.ts", "bench/src/measure/measure.test.ts"];
/** They leave nothing global changed and no module remembers, so that they share imports: of the compiler, a second. */
const sharing = [
  "compiler/**/*.test.ts",
  "runtime/src/{format/{bundle,tensor},session}/**/*.test.ts",
  "runtime/src/{backends/external-locations,format/visible-text}.test.ts",
  "bench/src/{metrics,report,statistics,timing}/**/*.test.ts",
  "bench/src/measure/{accuracy,latency,parity,predictions,second-try}.test.ts",
  "bench/src/engines/{codec,let-go,messages}.test.ts",
  "cli/src/{config,report,terminal,workbench}/**/*.test.ts",
  "cli/src/cache/{cache-state,entry,entry-file,open-cache,own-folder,place,prune}.test.ts",
  "cli/src/data/{arrays,demand-labels,describe-splits,fit-feeds,images}.test.ts",
  "cli/src/data/{module-hash,module-references,splits,spread-order}.test.ts",
  "cli/src/platform/{files,lock,make-folder,write-bundle}.test.ts",
  "cli/src/verbs/{distill,optimize,prune}/*.test.ts",
  "docs/{measured,reference}/*.test.ts",
  "docs/readme.test.ts",
  "fixtures/{engines,scripts}/**/*.test.ts",
];
/** Milliseconds; files run beside others, and some start engines, browsers and bundlers. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000 };
const quick = {
  ...patient,
  // One more than small machines have cores: a file often waits for a process that it started, and that for a timer.
  // With more, as many processes compile the same code.
  maxWorkers: 3,
  sequence: { groupOrder: 0 },
  setupFiles: ["./.ci/property-seed.mjs"],
};
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

// Of one group, vitest takes projects by their names: "apart" has the long files, and those of "sharing" fill up at the end.
export default defineConfig({
  test: {
    reporters: ["default"],
    // Code that was made of a source stays in node_modules, by its content, for other projects and the next run.
    experimental: { fsModuleCache: true },
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
