import type { Command } from "commander";
import { addData, addPreprocess } from "../../workbench/data-options.js";
import { addKeepMetadata } from "../../workbench/keep-metadata.js";
import { addNoCheck } from "../../workbench/no-check.js";
import { addRecipe, type RecipeOptions } from "../../workbench/recipe-option.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import { integerAtLeast, shareOf } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import {
  addTeacherOptions,
  addTrainingOptions,
} from "../../workbench/training/training-options.js";
import type { PruneOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", aModel)
    .option(
      "--keep-flops <share>",
      "how much of the multiply-accumulates is left at most (default: 0.6)",
      shareOf("--keep-flops"),
    )
    .option(
      "--keep-params <share>",
      "how much of the parameters is left at most, instead",
      shareOf("--keep-params"),
    )
    .option(
      "--keep-latency <share>",
      "how much of the latency is left at most, timed on --target, instead",
      shareOf("--keep-latency"),
    )
    .option("--target <name>", "of --keep-latency: cpu, wasm or webgpu (default: cpu)")
    .option(
      "--importance <kind>",
      "what tells which channels matter: magnitude, batch-norm, activation (needs --data), or taylor (needs labels)",
      "magnitude",
    )
    .option("--per-layer", "let every layer keep the same share, instead of all competing")
    .option(
      "--multiple <number>",
      "leave channels in multiples of this where that is possible",
      integerAtLeast("--multiple", 1),
      16,
    )
    .option(
      "--reconstruct",
      "fit the weights that read what was cut to samples, layer by layer, without labels (default: with --data and no --recover)",
    )
    .option("--no-reconstruct", "leave the weights of what was not cut as they are");
  addData(command, "to fit to, to --recover from, and to test on");
  addPreprocess(command);
  command.option(
    "--recover <epochs>",
    "teach what was cut to answer as the model did, so often through --data; its labels teach too",
    integerAtLeast("--recover", 1),
  );
  addTrainingOptions(command);
  addTeacherOptions(command);
  addShapeOptions(command);
  addKeepMetadata(command);
  addNoCheck(command);
  addRecipe(command, "pruning", "the splits, and the order of samples");
  command
    .option("-o, --output <file>", "where to (default: <model>.pruned.onnx in the current folder)")
    .action(async (path: string, options: PruneOptions & RecipeOptions, self: Command) => {
      const { recipe } = options;
      if (recipe !== undefined) {
        const { runRecipe } = await import("../../workbench/run-recipe.js");
        const verb = { command: self, suffix: "pruned" };
        return runRecipe(path, { ...options, recipe }, verb, context);
      }
      const { runPrune } = await import("./run.js");
      await runPrune(path, options, context);
    });
};
