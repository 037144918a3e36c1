import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { gradients } from "./gradients/gradients.js";
import { channels } from "./channels/channels.js";
import { references } from "./reference/references.js";
import { fusedSchemas } from "./schema/fused.js";
import { schemas } from "./schema/schemas.js";
import { shapeRules } from "./shape/shapes.js";
import { operators } from "./table.js";
import { traitCells } from "./traits/traits.js";

const known = [...schemas.keys()];

/** The operators that each family file of a folder has cells for, as its exports that end so hold them. */
async function families(
  folder: string,
  ending: string,
): Promise<readonly (readonly [file: string, keys: readonly string[]])[]> {
  const files = await readdir(new URL(`./${folder}/`, import.meta.url));
  const found: (readonly [string, readonly string[]])[] = [];
  for (const file of files.filter((name) => name.endsWith(".ts") && !name.includes(".test."))) {
    const url = new URL(`./${folder}/${file}`, import.meta.url);
    const exported: Record<string, unknown> = await import(/* @vite-ignore */ url.href);
    for (const [name, cells] of Object.entries(exported))
      if (name.endsWith(ending) && typeof cells === "object" && cells !== null)
        found.push([file, Object.keys(cells)]);
  }
  return found;
}

describe.each([
  ["schema", "Schemas", schemas],
  ["shape", "Shapes", shapeRules],
  ["reference", "References", references],
  ["gradients", "Gradients", gradients],
  ["channels", "Channels", channels],
] as const)("the families in %s", (folder, ending, joined) => {
  test("are joined, all of them, and none says again what another said", async () => {
    const found = await families(folder, ending);
    expect(found.length).toBeGreaterThan(20);
    const keys = found.flatMap(([, names]) => names);
    expect([...keys].sort()).toEqual([...joined.keys()].sort());
  });
});

test("every cell names an operator that the schema knows", () => {
  const cells = {
    shape: shapeRules,
    reference: references,
    gradient: gradients,
    channels,
    ...traitCells,
  };
  for (const [kind, map] of Object.entries(cells)) {
    expect(map.size, kind).toBeGreaterThan(0);
    expect([...map.keys()].filter((key) => !schemas.has(key), kind)).toEqual([]);
  }
});

test("every schema has a shape, and so a row", () => {
  expect(known.filter((key) => !shapeRules.has(key))).toEqual([]);
  expect([...operators.keys()]).toEqual(known);
});

test("what has no reference evaluation has bodies, is random, of ai.onnx.ml, or one of a few", () => {
  const without = [...operators].filter(
    ([key, { reference, schema, traits }]) =>
      reference === undefined &&
      schema.deterministic &&
      traits.bodies === undefined &&
      !key.startsWith("ai.onnx.ml::"),
  );
  expect(without.map(([key]) => key)).toEqual([
    "com.microsoft::GatherBlockQuantized",
    "com.microsoft::DynamicQuantizeMatMul",
    "com.microsoft::MatMulNBits",
    "Attention",
    "com.microsoft::Attention",
    "com.microsoft::MultiHeadAttention",
    "com.microsoft::GroupQueryAttention",
    "com.microsoft::RotaryEmbedding",
    ...Object.keys(fusedSchemas),
    "com.microsoft::QLinearConv",
    "com.microsoft::QGemm",
    "com.microsoft::QLinearAdd",
    "com.microsoft::QLinearMul",
    "com.microsoft::QLinearSigmoid",
    "com.microsoft::QLinearLeakyRelu",
    "com.microsoft::QLinearGlobalAveragePool",
    "com.microsoft::QLinearAveragePool",
    "com.microsoft::QLinearConcat",
    "com.microsoft::QLinearWhere",
    "com.microsoft::QLinearSoftmax",
    "com.microsoft::MatMulIntegerToFloat",
    "com.microsoft::QAttention",
    "com.microsoft::QEmbedLayerNormalization",
  ]);
});

test("traits speak of inputs, outputs and attributes that the schema has", () => {
  for (const [key, { schema, traits }] of operators) {
    const inputs = [
      ...(traits.weights ?? []).map(({ input }) => input),
      ...(traits.clamp?.bounds ?? []),
      ...(traits.scales?.inputs ?? []),
    ];
    if (traits.scales?.output !== undefined)
      expect(schema.outputs[traits.scales.output], key).toBeDefined();
    const isEndless = schema.inputs.at(-1)?.arity === "variadic";
    for (const input of inputs)
      expect(isEndless || schema.inputs[input] !== undefined, `${key} ${input}`).toBe(true);
    if (traits.outputDtype !== undefined)
      expect(schema.attributes, key).toContain(traits.outputDtype);
    if (typeof traits.float16 === "object" && "outputs" in traits.float16)
      expect(traits.float16.outputs, key).toBeLessThan(schema.outputs.length);
    if (traits.linear === undefined) continue;
    const { activation, weight, bias } = traits.linear;
    for (const input of [activation, weight]) expect(schema.inputs[input]?.arity, key).toBe("one");
    expect(schema.inputs[bias ?? -1]?.arity, key).toBe(bias === undefined ? undefined : "optional");
    expect(traits.weights?.map(({ input }) => input)).toContain(weight);
    expect(traits.macs, key).toBeDefined();
  }
});
