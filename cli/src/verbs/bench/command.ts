import { addMeasureOptions } from "../../workbench/measure-options.js";
import { bytes, milliseconds, numberAtLeast } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import type { BenchOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<baseline>", `${aModel}; with --base, the candidate`)
    .argument("[candidates...]", "models to compare with it");
  command
    .option("--base <git ref>", "take the baseline from this commit, branch or tag")
    .option("--gate", "exit with 3 when a candidate is less accurate, slower or larger");
  addMeasureOptions(command);
  command
    .option(
      "--max-drop <number>",
      "with --gate: how far the metric may drop, in its own unit (default: 0)",
      numberAtLeast("--max-drop", 0),
    )
    .option(
      "--max-size <bytes>",
      "with --gate: what the files may take, uncompressed: 500kB, 2MB",
      bytes("--max-size"),
    )
    .option(
      "--max-latency <ms>",
      "with --gate: the longest median latency",
      milliseconds("--max-latency", "ms"),
    )
    .option("--open", "times wasm and aot side by side on a page in your own browser, until Ctrl-C")
    .action(async (baseline: string, candidates: readonly string[], options: BenchOptions) => {
      if (options.open === true) {
        const { runOpen } = await import("./open.js");
        return runOpen(baseline, candidates, options, context);
      }
      const { runBench } = await import("./run.js");
      await runBench(baseline, candidates, options, context);
    });
};
