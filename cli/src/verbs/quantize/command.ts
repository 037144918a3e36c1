import type { Command } from "commander";
import { addData, addPreprocess } from "../../workbench/data-options.js";
import { addKeepMetadata } from "../../workbench/keep-metadata.js";
import { addNoCheck } from "../../workbench/no-check.js";
import { addRecipe, type RecipeOptions } from "../../workbench/recipe-option.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import { integerAtLeast } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import type { QuantizeOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", aModel)
    .option("--mode <mode>", "dynamic, static (needs --data), weights or fp16 (default: dynamic)")
    .option(
      "--bits <number>",
      "of weights: 8, 4 with --mode weights or static, or 2 with --mode weights (default: 8)",
      integerAtLeast("--bits", 1),
    )
    .option(
      "--ort-compat",
      "write the file that onnxruntime's Python quantizer writes at its defaults: the same names, the same bytes",
    );
  addData(command, "to calibrate on, with --mode static or fp16");
  addPreprocess(command);
  addShapeOptions(command);
  addKeepMetadata(command);
  addNoCheck(command);
  addRecipe(command, "a mode", "which samples calibrate");
  command
    .option("-o, --output <file>", "where to (default: <model>.<mode>.onnx in the current folder)")
    .action(async (path: string, options: QuantizeOptions & RecipeOptions, self: Command) => {
      const { recipe } = options;
      if (recipe !== undefined) {
        const { runRecipe } = await import("../../workbench/run-recipe.js");
        const verb = { command: self, suffix: "quantized" };
        return runRecipe(path, { ...options, recipe }, verb, context);
      }
      const { runQuantize } = await import("./run.js");
      await runQuantize(path, options, context);
    });
};
