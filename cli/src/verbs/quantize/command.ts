import { addData, addPreprocess } from "../../workbench/data-options.js";
import { addKeepMetadata } from "../../workbench/keep-metadata.js";
import { addNoCheck } from "../../workbench/no-check.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import { integerAtLeast } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import type { QuantizeOptions } from "./run.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", "an ONNX file")
    .option("--mode <mode>", "dynamic, static (needs --data), weights or fp16 (default: dynamic)")
    .option(
      "--bits <number>",
      "of weights: 8, or 4 with --mode weights (default: 8)",
      integerAtLeast("--bits", 1),
    );
  addData(command, "to calibrate on, with --mode static or fp16");
  addPreprocess(command);
  addShapeOptions(command);
  addKeepMetadata(command);
  addNoCheck(command);
  command
    .option(
      "--recipe <preset or file>",
      "a recipe's steps instead of a mode: a preset that proposes nothing, such as naive-per-tensor, or a .json or .yaml file",
    )
    .option("--seed <number>", "fixes which samples calibrate", integerAtLeast("--seed", 0), 0)
    .option("-o, --output <file>", "where to (default: <model>.<mode>.onnx in the current folder)")
    .action(async (path: string, options: QuantizeOptions) => {
      const { runQuantize } = await import("./run.js");
      await runQuantize(path, options, context);
    });
};
