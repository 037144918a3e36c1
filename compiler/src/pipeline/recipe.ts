import { isRecord, type JsonSchema } from "@pare/runtime/format";
import { boolean, type Kind, listOf, oneOf, plainName, refuse, text } from "./kinds.js";
import { type Described, type Fields, fields, option, optional, required } from "./options.js";
import type { Registry } from "./pass.js";
import type { Step, StepGroup } from "./step.js";

/**
 * Groups of steps as data. With `propose`, each target's table adds alternatives after them, and measurement decides
 * among all.
 */
export interface Recipe<S extends Step = Step> {
  readonly name: string;
  readonly summary: string;
  readonly groups: readonly StepGroup<S>[];
  readonly propose: boolean;
}

/**
 * Reads a recipe from JSON data: `{ "steps": [ "simplify", { "together": [ … ] } ] }`, or the list
 * alone. Every step's options are read by
 * its pass, so that what is wrong is said here and not in the middle of a run.
 * @param name where the recipe itself gives none; of letters, digits, dots, dashes and underscores
 * @param passes those that steps can name
 * @throws PareError RECIPE with the path of the offending field
 */
export function parseRecipe(data: unknown, name: string, passes: Registry): Recipe {
  const { steps, propose, summary, ...given } = recipeFields(passes).read(
    Array.isArray(data) ? { steps: data } : data,
    "recipe",
  );
  return { name: given.name ?? name, summary, groups: steps, propose };
}

/** What a recipe's file may hold, for editors and for those who write recipes by program. */
export function recipeSchema(passes: Registry): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A recipe: passes in the order in which Pare tries them",
    anyOf: [recipeFields(passes).schema, stepsByName],
    $defs: {
      ...Object.fromEntries(
        passes.map(({ name, summary, options }) => [
          name,
          { ...options.schema, description: summary },
        ]),
      ),
      steps: listOf(groupKind(passes)).schema,
    },
  };
}

/** They stand in a recipe or are all of it. */
const stepsByName: JsonSchema = { $ref: "#/$defs/steps" };

function recipeFields(passes: Registry) {
  const described = {
    $schema: optional(text, "The address of this schema, for editors."),
    name: optional(plainName, "How reports and variants name it; the file's name where not given."),
    summary: option(text, "", "What it is for."),
    steps: required(
      { ...listOf(groupKind(passes)), schema: stepsByName },
      "Passes in order: each measured by itself, those of a group together.",
    ),
    propose: option(
      boolean,
      false,
      "Whether each target's own proposals are tried after the steps.",
    ),
  };
  return fields(described, { noun: "field" });
}

/** What a plain step and a group can say of themselves. */
const ofGroup = {
  required: option(
    boolean,
    false,
    "Whether it stays whatever it gains, as long as the model loads and is right.",
  ),
  name: optional(text, "How reports name it."),
};

/** A plain step is a group of one. */
function groupKind(passes: Registry): Kind<StepGroup> {
  const plain = stepKind(passes, ofGroup);
  const together = fields(
    {
      together: required(
        listOf(innerKind(passes), 1),
        "Steps that are measured, and kept or reverted, as one.",
      ),
      ...ofGroup,
    },
    { noun: "field" },
  );
  return {
    schema: { anyOf: [...(plain.schema.anyOf ?? []), together.schema] },
    said: `${plain.said}, or { "together": [ … ] }`,
    read(value, at) {
      if (!isRecord(value)) return { steps: [plain.read(value, at)], required: false };
      const isGroup = "together" in value;
      const steps = isGroup ? together.read(value, at).together : [plain.read(value, at)];
      return {
        steps,
        required: value["required"] === true,
        ...(typeof value["name"] === "string" && { name: value["name"] }),
      };
    },
  };
}

function innerKind(passes: Registry): Kind<Step> {
  const step = stepKind(passes, {});
  return {
    ...step,
    read(value, at) {
      if (isRecord(value) && "together" in value)
        refuse(
          at,
          "is a group inside a group",
          "Groups do not nest: put its steps into the outer one.",
        );
      return step.read(value, at);
    },
  };
}

/** A pass's name, or an object that holds it; the options stay as they are written. */
function stepKind(passes: Registry, more: Described): Kind<Step> {
  const name = oneOf(passes.map((pass) => pass.name));
  const kinds = new Map(passes.map((pass) => [pass.name, passKind(pass, more)]));
  return {
    schema: { anyOf: [name.schema, ...[...kinds.values()].map(({ schema }) => schema)] },
    said: `a pass by name, or { "use": a pass }`,
    read(value, at) {
      if (typeof value === "string") return { use: name.read(value, at) };
      if (!isRecord(value)) refuse(at, "is no step", `It must be ${this.said}.`);
      const use = name.read(value["use"], `${at}.use`);
      kinds.get(use)?.read(value, at);
      const options = value["with"];
      return isRecord(options) && Object.keys(options).length > 0
        ? { use, with: options }
        : { use };
    },
  };
}

function passKind({ name, summary, options }: Registry[number], more: Described): Fields<unknown> {
  const referred = { ...options, schema: { $ref: `#/$defs/${name}` } };
  return fields(
    {
      use: required(oneOf([name]), summary),
      with: optional(referred, "Its options."),
      ...more,
    },
    { noun: "field" },
  );
}
