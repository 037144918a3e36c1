import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { findFault, type JsonSchema } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { passes, type PassStep } from "../passes/index.js";
import { parseRecipe, recipeSchema } from "../pipeline/recipe.js";
import { recipeData } from "../pipeline/recipe-data.js";
import { presets } from "./presets.js";

const schema = recipeSchema(passes);

describe("the schema of recipes", () => {
  it("is published as it is; node compiler/scripts/write-schema.mjs writes it", async () => {
    const file = new URL("../../schema/recipe.schema.json", import.meta.url);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it.each(Object.entries(presets))("holds for the preset %s", (name, preset) => {
    const data = recipeData(preset);
    expect(findFault(data, schema)).toBeNull();
    const { groups, propose } = parseRecipe(data, name, passes);
    expect({ groups, propose }).toEqual({ groups: preset.groups, propose: preset.propose });
  });

  it("accepts what parseRecipe accepts, and nothing else", () => {
    const counts = { taken: 0, refused: 0 };
    const recipe = like(schema);
    fc.assert(
      fc.property(recipe, (data) => {
        const taken = isTaken(data);
        counts[taken ? "taken" : "refused"] += 1;
        expect(findFault(data, schema) === null).toBe(taken);
      }),
      { numRuns: 3000 },
    );
    expect(counts.taken).toBeGreaterThan(500);
    expect(counts.refused).toBeGreaterThan(500);
  });
});

describe("a step in TypeScript", () => {
  it("has the names and options that the passes declare", () => {
    const right: PassStep = {
      use: "quantize-static",
      with: { reduceRange: false, keepFloat: { nodes: ["a"] } },
    };
    // @ts-expect-error no such pass
    const name: PassStep = { use: "quantise-static" };
    // @ts-expect-error no such option
    const option: PassStep = { use: "quantize-static", with: { reduceRanges: false } };
    // @ts-expect-error no such value
    const value: PassStep = { use: "quantize-static", with: { reduceRange: 9 } };
    // @ts-expect-error it takes no options
    const none: PassStep = { use: "simplify", with: { level: 9 } };
    const parsed = [right, name, option, value, none].map((step) => isTaken({ steps: [step] }));
    expect(parsed).toEqual([true, false, false, false, false]);
  });
});

function isTaken(data: unknown): boolean {
  try {
    parseRecipe(data, "any", passes);
    return true;
  } catch {
    return false;
  }
}

/** Data that a schema describes, wrong in one place now and then. */
function like(part: JsonSchema): fc.Arbitrary<unknown> {
  const wrong = fc.oneof(fc.constantFrom(null, -1, 1.5, "", [], {}, true), fc.jsonValue());
  return fc.oneof({ weight: 60, arbitrary: right(part) }, { weight: 1, arbitrary: wrong });
}

function right(part: JsonSchema): fc.Arbitrary<unknown> {
  if (part.$ref !== undefined) {
    const definition = schema.$defs?.[part.$ref.replace("#/$defs/", "")];
    if (definition === undefined) throw new Error(`no ${part.$ref}`);
    return right(definition);
  }
  if (part.anyOf !== undefined) return fc.oneof(...part.anyOf.map(like));
  if (part.enum !== undefined) return fc.constantFrom(...part.enum);
  switch (part.type) {
    case "boolean":
      return fc.boolean();
    case "string":
      return part.pattern === undefined
        ? fc.string({ maxLength: 4 })
        : fc.stringMatching(new RegExp(part.pattern));
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "integer":
      return fc.integer({ min: part.minimum ?? 0, max: part.maximum ?? 5000 });
    case "array":
      return fc.array(like(part.items ?? {}), { minLength: part.minItems ?? 0, maxLength: 3 });
    case "object":
      return anObject(part);
    default:
      throw new Error(`no data for ${JSON.stringify(part)}`);
  }
}

function anObject({ properties = {}, required = [], additionalProperties }: JsonSchema) {
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, like(one)])),
    { requiredKeys: [...required] },
  );
  const key = fc.constantFrom("a", "constructor", "wiht", "to string");
  const more =
    additionalProperties === undefined || additionalProperties === false
      ? fc.dictionary(key, fc.constant(1), { maxKeys: 1 })
      : fc.dictionary(key, like(additionalProperties), { maxKeys: 2 });
  const rarely = additionalProperties === false ? 60 : 0;
  return fc
    .tuple(
      known,
      fc.oneof({ weight: rarely, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: more }),
    )
    .map(([ours, others]) => ({ ...others, ...ours }));
}
