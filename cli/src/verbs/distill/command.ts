import type { Command } from "commander";
import { collectNames, integerAtLeast } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import { addData, addPreprocess } from "../../workbench/data-options.js";
import { addNoCheck } from "../../workbench/no-check.js";
import { addRecipe, type RecipeOptions } from "../../workbench/recipe-option.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import {
  addTeacherOptions,
  addTrainingOptions,
  trainingDefaults,
} from "../../workbench/training/training-options.js";
import type { DistillVerbOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("[model]", `${aModel}: the student, which may be named with --student too`)
    .option(
      "--student <file or cut>",
      "the model that is trained; its file stays as it is. Or the teacher with fewer layers or channels: depth=0.5, layers=3, layers=0+2+5, width=0.5; by=influence lets samples choose layers",
    )
    .option("--teacher <file>", "a model whose answers are learned; without it, labels alone are");
  addData(command, "to learn from");
  addPreprocess(command);
  command.option(
    "--epochs <number>",
    `how often all samples are gone through (default: ${trainingDefaults.epochs})`,
    integerAtLeast("--epochs", 1),
  );
  addTrainingOptions(command);
  addTeacherOptions(command);
  command.option(
    "--fresh",
    "forget what the student has learned, and begin with weights drawn by --seed",
  );
  command.option(
    "--freeze <list>",
    "weights that stay as they are, by their names; * stands for any ending",
    collectNames,
  );
  command.option("--keep-zeros", "leave weights 0 that are 0: what was made sparse stays sparse");
  addShapeOptions(command);
  addNoCheck(command);
  addRecipe(
    command,
    "one training, on the student alone",
    "the splits, the order of samples and fresh weights",
  );
  command
    .option(
      "-o, --output <file>",
      "where to (default: <student>.distilled.onnx in the current folder)",
    )
    // More than one is told from a list with spaces.
    .allowExcessArguments()
    .action(async (_, options: DistillVerbOptions & RecipeOptions, self: Command) => {
      const { recipe } = options;
      const { args } = self;
      if (recipe !== undefined) {
        const [{ runRecipe }, { studentFile }] = await Promise.all([
          import("../../workbench/run-recipe.js"),
          import("./student.js"),
        ]);
        const verb = { command: self, suffix: "distilled" };
        return runRecipe(studentFile(args, options.student), { ...options, recipe }, verb, context);
      }
      const { runDistill } = await import("./run.js");
      await runDistill(args, options, context);
    });
};
