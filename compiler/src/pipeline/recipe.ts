import { PareError } from "@pare/runtime/format";
import type { Step, StepGroup } from "./step.js";

/**
 * A list of passes as data. With `propose`, each target's table adds alternatives after `steps`, and measurement
 * decides among them.
 */
export interface Recipe {
  readonly name: string;
  readonly summary: string;
  readonly groups: readonly StepGroup[];
  readonly propose: boolean;
}

/**
 * Reads a recipe from JSON data.
 * @param known the names of the passes that can be used
 * @throws PareError RECIPE with the path of the offending field
 */
export function parseRecipe(data: unknown, name: string, known: readonly string[]): Recipe {
  const fields = record(data, "recipe");
  for (const key of Object.keys(fields)) {
    if (!["name", "summary", "steps", "propose", "$schema"].includes(key))
      fail(
        `recipe.${key}`,
        "is not a field of a recipe",
        "The fields are name, summary, steps and propose.",
      );
  }
  const steps = fields["steps"];
  if (!Array.isArray(steps))
    fail("recipe.steps", "must be a list of steps", 'For example: [{ "use": "simplify" }].');
  const propose = fields["propose"] ?? false;
  if (typeof propose !== "boolean") fail("recipe.propose", "must be true or false");
  return {
    name: typeof fields["name"] === "string" ? fields["name"] : name,
    summary: typeof fields["summary"] === "string" ? fields["summary"] : "",
    propose,
    groups: (steps as readonly unknown[]).map((step, index) => ({
      steps: [parseStep(step, `recipe.steps[${index}]`, known)],
      required: false,
    })),
  };
}

function parseStep(data: unknown, path: string, known: readonly string[]): Step {
  const fields = record(typeof data === "string" ? { use: data } : data, path);
  const { use } = fields;
  if (typeof use !== "string" || !known.includes(use))
    fail(
      `${path}.use`,
      `is ${JSON.stringify(use)}, which is no pass`,
      `The passes are ${known.join(", ")}.`,
    );
  return fields["with"] === undefined
    ? { use }
    : { use, with: record(fields["with"], `${path}.with`) };
}

function record(data: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof data !== "object" || data === null || Array.isArray(data))
    fail(path, "must be an object");
  return data as Readonly<Record<string, unknown>>;
}

function fail(path: string, what: string, hint?: string): never {
  throw new PareError(
    "RECIPE",
    `${path} ${what}.`,
    hint === undefined ? { where: path } : { where: path, hint },
  );
}
