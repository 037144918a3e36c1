import { addMeasureOptions, type MeasureVerbOptions } from "../prepare/measure-options.js";
import { bytes, milliseconds, numberAtLeast } from "../program/option-values.js";
import type { DefineVerb } from "../program/verb.js";

export interface BenchOptions extends MeasureVerbOptions {
  readonly base?: string;
  readonly gate?: boolean;
  readonly maxDrop?: number;
  readonly maxSize?: number;
  readonly maxLatency?: number;
}

export const define: DefineVerb = (command, context) => {
  command
    .argument("<baseline>", "an ONNX file; with --base, the candidate")
    .argument("[candidates...]", "ONNX files to compare with it");
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
    .option("--max-size <bytes>", "with --gate: the largest file: 500kB, 2MB", bytes("--max-size"))
    .option(
      "--max-latency <ms>",
      "with --gate: the longest median latency",
      milliseconds("--max-latency", "ms"),
    )
    .action(async (baseline: string, candidates: readonly string[], options: BenchOptions) => {
      const { runBench } = await import("../bench/run-bench.js");
      await runBench(baseline, candidates, options, context);
    });
};
