import { isRecord, sha256 } from "@pare/runtime/format";
import type { Recipe } from "./recipe.js";
import type { Step, StepGroup } from "./step.js";

/** A recipe as a file holds it, without what it is called: all that its results depend on. */
export interface RecipeData {
  readonly propose: boolean;
  readonly steps: readonly (StepData | TogetherData)[];
}

interface OfGroup {
  readonly required?: true;
  readonly name?: string;
}
interface StepData extends Step, OfGroup {}
interface TogetherData extends OfGroup {
  readonly together: readonly Step[];
}

/**
 * The content of a recipe in one form: names sorted, nothing said that would be so without. `parseRecipe` reads it back
 * as an equal recipe; two recipes of the same content give the same text when written by `JSON.stringify`.
 */
export function recipeData({ groups, propose }: Pick<Recipe, "groups" | "propose">): RecipeData {
  return { propose, steps: groups.map(groupData) };
}

/** sha256 of a recipe's content, in 64 hex digits. */
export async function recipeHash(recipe: Pick<Recipe, "groups" | "propose">): Promise<string> {
  return sha256(new TextEncoder().encode(JSON.stringify(recipeData(recipe))));
}

function groupData({ name, required, steps }: StepGroup): StepData | TogetherData {
  const about = {
    ...(name !== undefined && { name }),
    ...(required && { required }),
  };
  const [first, ...others] = steps.map(stepData);
  return first !== undefined && others.length === 0
    ? { ...about, ...first }
    : { ...about, together: steps.map(stepData) };
}

function stepData({ use, with: options = {} }: Step): Step {
  return Object.keys(options).length === 0 ? { use } : { use, with: sortedRecord(options) };
}

function sortedRecord(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  return isRecord(value) ? sortedRecord(value) : value;
}
