import type { Command } from "commander";
import type { DefineVerb } from "../../terminal/verb.js";
import { addData, addPreprocess } from "../../workbench/data-options.js";
import { addKeepMetadata } from "../../workbench/keep-metadata.js";
import { addNoCheck } from "../../workbench/no-check.js";
import {
  addRecipe,
  type RecipeDataOptions,
  refuseDataAlone,
  type RecipeOptions,
} from "../../workbench/recipe-option.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import type { SimplifyOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command.argument("<model>", aModel);
  addShapeOptions(command);
  addKeepMetadata(command);
  addNoCheck(command);
  addRecipe(command, "simplifying");
  addData(command, "for steps of a recipe that look at samples");
  addPreprocess(command);
  command
    .option(
      "-o, --output <file>",
      "where to (default: <model>.simplified.onnx in the current folder)",
    )
    .action(
      async (
        path: string,
        options: SimplifyOptions & RecipeOptions & RecipeDataOptions,
        self: Command,
      ) => {
        const { recipe } = options;
        if (recipe !== undefined) {
          const { runRecipe } = await import("../../workbench/run-recipe.js");
          const verb = { command: self, suffix: "simplified" };
          return runRecipe(path, { ...options, recipe }, verb, context);
        }
        refuseDataAlone(options);
        const { runSimplify } = await import("./run.js");
        await runSimplify(path, options, context);
      },
    );
};
