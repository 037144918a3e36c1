import type { Command } from "commander";
import { integerAtLeast } from "../terminal/option-values.js";
import { refuseWithout } from "../terminal/refuse.js";

export interface RecipeOptions {
  readonly recipe?: string;
  readonly seed: number;
}

/**
 * `--recipe` and `--seed`, of the verbs that are one step.
 * @param instead what of the verb the recipe's steps stand for
 * @param draws what the verb itself draws, if anything
 */
export function addRecipe(command: Command, instead: string, draws?: string): void {
  command
    .option(
      "--recipe <preset or file>",
      `a recipe's steps instead of ${instead}: a preset that proposes nothing, such as naive-per-tensor, or a .json or .yaml file`,
    )
    .option(
      "--seed <number>",
      `fixes ${draws ?? "what steps of a recipe draw"}`,
      integerAtLeast("--seed", 0),
      0,
    );
}

/** Of the verbs that look at samples for a recipe alone. */
export interface RecipeDataOptions {
  readonly data?: string;
  readonly preprocess?: string;
}

/** @throws PareError ARGUMENT */
export function refuseDataAlone({ data, preprocess }: RecipeDataOptions): void {
  refuseWithout("--recipe", { "--data": data, "--preprocess": preprocess });
}
