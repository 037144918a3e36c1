import type { Step } from "@pare/compiler";
import type { Command } from "commander";
import { loadRecipe } from "../config/recipe.js";
import type { OutputOptions } from "../terminal/output.js";
import { refuse } from "../terminal/refuse.js";
import type { VerbContext } from "../terminal/verb.js";
import type { NoCheckOptions } from "./no-check.js";
import { openModel } from "./opened-model.js";
import { runSteps } from "./run-steps.js";
import { parseShapes, type ShapeOptions } from "./shape-options.js";
import { openStepExamples, type StepExamples } from "./step-examples.js";
import { checkMeasureOptions } from "./workbench.js";

export interface RunRecipeOptions extends OutputOptions, ShapeOptions, NoCheckOptions {
  readonly recipe: string;
  readonly seed: number;
  readonly data?: string;
  readonly preprocess?: string;
  readonly output?: string;
}

/** What says nothing of the steps: which model, which samples, and where to. */
const besideRecipes: ReadonlySet<string> = new Set([
  "recipe",
  "seed",
  "data",
  "preprocess",
  "output",
  "check",
  "shape",
  "dim",
  "const",
  "student",
  "json",
  "quiet",
  "verbose",
]);

/**
 * A verb that is one step, with a recipe's steps in its place: on the model as it is, unmeasured, ONNX out.
 * @param command the verb's, as it was parsed
 */
export async function runRecipe(
  path: string,
  options: RunRecipeOptions,
  { command, suffix }: { readonly command: Command; readonly suffix: string },
  context: VerbContext,
): Promise<void> {
  refuseOwnOptions(command);
  checkMeasureOptions(options);
  const steps = await stepsOf(options.recipe, command.name());
  const say = context.output(options);
  const { signal } = context;
  const model = await openModel(path, parseShapes(options), signal);
  let data: StepExamples | null = null;
  try {
    if (options.data !== undefined)
      data = await openStepExamples(options.data, options, model, steps, say, signal);
    await runSteps({
      model,
      steps,
      examples: data?.examples,
      training: data?.training,
      seed: options.seed,
      output: options.output,
      suffix,
      check: options.check,
      host: data?.host,
      say,
      signal,
    });
  } finally {
    say.settle();
    await data?.dispose();
    model.close();
  }
}

/** What the verb's own step would be told counts for nothing beside a recipe. @throws PareError ARGUMENT */
function refuseOwnOptions(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (besideRecipes.has(name) || command.getOptionValueSource(name) !== "cli") continue;
    // --reconstruct and --no-reconstruct are kept under one name.
    if (option.negate !== (command.getOptionValue(name) === false)) continue;
    const flag = option.long ?? option.flags;
    refuse(
      `${flag} does not go with --recipe: --recipe names the steps.`,
      flag,
      'Leave one of them out; steps of a recipe have options of their own: { "use": "simplify", "with": { "keepMetadata": true } }.',
    );
  }
}

/** Nothing is measured, so nothing can be proposed. @throws PareError ARGUMENT, RECIPE */
async function stepsOf(nameOrFile: string, verb: string): Promise<readonly Step[]> {
  const recipe = await loadRecipe(nameOrFile);
  if (recipe.propose)
    refuse(
      `The recipe ${recipe.name} tries and measures, which ${verb} does not.`,
      "--recipe",
      "Use pare optimize, or a recipe of steps alone.",
    );
  return recipe.groups.flatMap(({ steps }) => steps);
}
