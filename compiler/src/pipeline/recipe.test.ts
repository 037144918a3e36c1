import { describe, expect, it } from "vitest";
import { integer } from "./kinds.js";
import { option } from "./options.js";
import { definePass, type Registry } from "./pass.js";
import { parseRecipe, type Recipe } from "./recipe.js";
import { recipeData, recipeHash } from "./recipe-data.js";

const nothing = () => ({ exactness: "bitwise", run: () => {} }) as const;
const passes: Registry = [
  definePass({ name: "plain", summary: "nothing to say", options: {}, create: nothing }),
  definePass({
    name: "round",
    summary: "rounds",
    options: { bits: option(integer(2, 8), 8, "Of weights.") },
    create: nothing,
  }),
];
const parse = (data: unknown): Recipe => parseRecipe(data, "a file", passes);

describe("parseRecipe", () => {
  it("takes a list of steps alone", () => {
    const steps = ["plain", { use: "round", with: { bits: 4 } }];
    expect(parse(steps)).toEqual(parse({ steps }));
  });

  it("makes groups of one of plain steps, and keeps those of a group together", () => {
    const round = { use: "round", with: { bits: 4 } };
    const steps = [
      "plain",
      { ...round, required: true },
      { together: ["plain", round], name: "both" },
    ];
    expect(parse({ steps })).toEqual({
      name: "a file",
      summary: "",
      propose: false,
      groups: [
        { steps: [{ use: "plain" }], required: false },
        { steps: [round], required: true },
        { steps: [{ use: "plain" }, round], required: false, name: "both" },
      ],
    });
  });

  it("takes a name, a summary and a schema's address from the recipe itself", () => {
    const recipe = parse({ $schema: "x", name: "n", summary: "s", steps: [], propose: true });
    expect(recipe).toEqual({ name: "n", summary: "s", groups: [], propose: true });
  });

  it.each<[unknown, string, string | RegExp]>([
    ["simplify", "recipe", /no object/],
    [{}, "recipe.steps", /missing/],
    [{ steps: "plain" }, "recipe.steps", /is "plain"/],
    [{ steps: [], stpes: [] }, "recipe.stpes", /not a field/],
    [{ steps: [], name: "for phones" }, "recipe.name", /"for phones"/],
    [{ steps: ["plan"] }, "recipe.steps[0]", /"plan"/],
    [{ steps: [{ use: "plan" }] }, "recipe.steps[0].use", /"plan"/],
    [{ steps: [{}] }, "recipe.steps[0].use", /missing/],
    [{ steps: [7] }, "recipe.steps[0]", /no step/],
    [{ steps: [{ use: "plain", wiht: {} }] }, "recipe.steps[0].wiht", /not a field/],
    [
      { steps: [{ use: "plain", with: { bits: 8 } }] },
      "recipe.steps[0].with.bits",
      /not an option/,
    ],
    [
      { steps: ["plain", { use: "round", with: { bits: 9 } }] },
      "recipe.steps[1].with.bits",
      /is 9/,
    ],
    [{ steps: [{ use: "round", with: 8 }] }, "recipe.steps[0].with", /no object/],
    [{ steps: [{ use: "plain", required: "yes" }] }, "recipe.steps[0].required", /"yes"/],
    [{ steps: [{ together: [] }] }, "recipe.steps[0].together", /empty/],
    [{ steps: [{ together: "plain" }] }, "recipe.steps[0].together", /"plain"/],
    [{ steps: [{ together: ["plain"], use: "plain" }] }, "recipe.steps[0].use", /not a field/],
    [
      { steps: [{ together: ["plain", { together: ["plain"] }] }] },
      "recipe.steps[0].together[1]",
      /a group inside a group/,
    ],
    [
      { steps: [{ together: [{ use: "plain", required: true }] }] },
      "recipe.steps[0].together[0].required",
      /not a field/,
    ],
    [
      { steps: [{ together: [{ use: "round", with: { bits: 1 } }] }] },
      "recipe.steps[0].together[0].with.bits",
      /is 1/,
    ],
  ])("refuses %j at its place", (data, where, message) => {
    expect(() => parse(data)).toThrow(
      expect.objectContaining({ code: "RECIPE", where, message: expect.stringMatching(message) }),
    );
  });
});

describe("recipeData", () => {
  const data = {
    propose: false,
    steps: [
      { use: "plain" },
      { use: "round", with: { bits: 4 }, required: true },
      { name: "both", together: [{ use: "plain" }, { use: "round" }] },
    ],
  };

  it("is read back as an equal recipe", () => {
    const recipe = parse(data);
    expect(parse(recipeData(recipe))).toEqual(recipe);
    expect(recipeData(recipe)).toEqual(data);
  });

  it("has one form and one hash, however the recipe was written and called", async () => {
    const first = parse({
      name: "a",
      steps: ["plain", { together: [{ with: {}, use: "plain" }] }],
    });
    const second = parse({ summary: "b", steps: [{ use: "plain", required: false }, "plain"] });
    expect(JSON.stringify(recipeData(first))).toBe(JSON.stringify(recipeData(second)));
    const hash = await recipeHash(first);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await recipeHash(second)).toBe(hash);
    const others = [
      { steps: ["plain"] },
      { steps: [{ together: ["plain", "plain"] }] },
      { steps: ["plain", { use: "plain", required: true }] },
      { steps: ["plain", "plain"], propose: true },
      { steps: ["plain", { use: "round" }] },
      { steps: ["plain", { use: "round", with: { bits: 8 } }] },
    ];
    const hashes = await Promise.all(others.map((other) => recipeHash(parse(other))));
    expect(new Set([hash, ...hashes]).size).toBe(others.length + 1);
  });

  it("sorts the names of options, at every depth", () => {
    const step = (options: Record<string, unknown>): Pick<Recipe, "groups" | "propose"> => ({
      propose: false,
      groups: [{ steps: [{ use: "any", with: options }], required: false }],
    });
    expect(JSON.stringify(recipeData(step({ b: [{ d: 1, c: 2 }], a: 3 })))).toContain(
      '{"a":3,"b":[{"c":2,"d":1}]}',
    );
  });
});
