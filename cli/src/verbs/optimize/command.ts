import { addMeasureOptions } from "../../workbench/measure-options.js";
import { bytes, milliseconds, numberAtLeast } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import { severalSizes } from "../../workbench/shape-options.js";
import { recipesText } from "./recipe-summaries.js";
import type { OptimizeVerbOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command.argument("<model>", aModel);
  addMeasureOptions(command, "all that can run here, aot where the model compiles", severalSizes);
  command
    .option("--recipe <preset or file>", "one of those below, or a .json or .yaml file", "auto")
    .option(
      "--max-drop <number>",
      "how far the metric may drop, in its own unit (default: 0.01)",
      numberAtLeast("--max-drop", 0),
    )
    .option(
      "--max-size <bytes>",
      "what the files may take, uncompressed: 500kB, 2MB",
      bytes("--max-size"),
    )
    .option("--max-latency <ms>", "the longest median latency", milliseconds("--max-latency", "ms"))
    .option("--prefer <latency|size>", "what counts among those that hold", "latency")
    .option(
      "--time-budget <time>",
      "of the whole, its bundle written (default: 2m, or what the cheapest sound plan takes)",
      milliseconds("--time-budget", "s"),
    )
    .option("--no-cache", "neither use nor keep results between runs")
    .option(
      "--synthetic",
      "without data: hold what needs some to made-up inputs, which tells nothing of accuracy",
    )
    .option(
      "--golden-from-data",
      "let the check on the device be on a sample of the data, which is published with the bundle (default: noise)",
    )
    .option("--frozen <lock>", "replay the decisions of a pare.lock.json, timing nothing")
    .option("--like <lock>", "try first what a pare.lock.json of an earlier model says")
    .option(
      "-o, --output <folder>",
      "the bundle (default: <model>.pare in the current folder; of a model.onnx, its folder's name)",
    )
    .addHelpText("after", `\n${recipesText()}`)
    .action(async (model: string, options: OptimizeVerbOptions) => {
      const { runOptimize } = await import("./run.js");
      await runOptimize(model, options, context);
    });
};
