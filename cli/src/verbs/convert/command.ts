import type { Command } from "commander";
import { integerAtLeast } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import { addData, addPreprocess } from "../../workbench/data-options.js";
import { addNoCheck } from "../../workbench/no-check.js";
import {
  addRecipe,
  type RecipeDataOptions,
  refuseDataAlone,
  type RecipeOptions,
} from "../../workbench/recipe-option.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import type { ConvertOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", aModel)
    .option(
      "--opset <version>",
      "the operator set of ai.onnx to write, 7 to 21 (required of an ONNX file without --recipe; else 21)",
      integerAtLeast("--opset", 1),
    );
  addShapeOptions(command);
  addNoCheck(command);
  addRecipe(command, "another opset");
  addData(command, "for steps of a recipe that look at samples");
  addPreprocess(command);
  command
    .option(
      "-o, --output <file>",
      "where to (default: <model>.opset<version>.onnx in the current folder, of TensorFlow.js <model>.onnx)",
    )
    .action(
      async (
        path: string,
        options: ConvertOptions & RecipeOptions & RecipeDataOptions,
        self: Command,
      ) => {
        const { recipe } = options;
        if (recipe !== undefined) {
          const { runRecipe } = await import("../../workbench/run-recipe.js");
          const verb = { command: self, suffix: "converted" };
          return runRecipe(path, { ...options, recipe }, verb, context);
        }
        refuseDataAlone(options);
        const { runConvert } = await import("./run.js");
        await runConvert(path, options, context);
      },
    );
};
