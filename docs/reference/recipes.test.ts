import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteSource, findFault } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRecipe } from "../../cli/src/config/recipe.js";
import {
  applyGroup,
  decodeModel,
  type Graph,
  inferNode,
  MeasuredActivations,
  type PassContext,
  passes,
  presets,
  recipeData,
  recipeSchema,
} from "../../compiler/src/index.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-recipes-"));
});
afterAll(() => rm(folder, { recursive: true }));

const page = await readFile(new URL("recipes.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```(yaml|json)\n([^]*?)^```$/gm)].map(
  ([, language = "", text = ""], index) =>
    [`example ${index + 1} (${language})`, language, text] as const,
);

const pixels = (seed: number): Float32Array =>
  Float32Array.from({ length: 784 }, (_, at) => ((at * (seed + 3)) % 97) / 97);
const context: PassContext = {
  activations: new MeasuredActivations({
    executor: cpu(),
    count: 4,
    async *samples() {
      for (let seed = 0; seed < 4; seed += 1)
        yield { x: { type: "float32", dims: [1, 1, 28, 28], data: pixels(seed) } };
    },
  }),
};

async function digits(): Promise<Graph> {
  const file = new URL("../../fixtures/models/mnist-cnn.onnx", import.meta.url);
  const proto = byteSource(new Uint8Array(await readFile(file)));
  return decodeModel({ proto, external: new Map() }, { infer: inferNode });
}

describe("recipes.md", () => {
  it("has examples in both languages", () => {
    expect(examples.map(([, language]) => language)).toEqual(["yaml", "json", "yaml"]);
  });

  it.each(examples)("%s is read, fits the schema, and runs", async (_, language, text) => {
    const file = join(folder, `recipe.${language}`);
    await writeFile(file, text);
    const recipe = await loadRecipe(file);
    expect(findFault(recipeData(recipe), recipeSchema(passes))).toBeNull();
    let graph = await digits();
    for (const group of recipe.groups)
      ({ graph } = await applyGroup(graph, group, context, passes));
    const ops = new Set(graph.order().map(({ op }) => op));
    expect(ops).toContain("DequantizeLinear");
  });

  it("names the presets that --help names", async () => {
    const cli = (await readFile(new URL("cli.md", import.meta.url), "utf8")).replace(/\s+/g, " ");
    const all = Object.values(presets).map(({ name, summary }) => `${name} ${summary}`);
    expect(cli).toContain(`Recipes: ${all.join(" ")}`);
  });

  it("says the same in YAML and in JSON", async () => {
    const [yaml, json] = await Promise.all(
      examples.slice(0, 2).map(async ([, language, text]) => {
        const file = join(folder, `same.${language}`);
        await writeFile(file, text);
        return loadRecipe(file);
      }),
    );
    expect(yaml).toEqual(json);
  });
});
