import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { byteSource, type Tensor as Dense } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { edit, type Graph, type ValueId } from "../ir/index.js";
import { decodeModel } from "../onnx/index.js";
import { convert, inferNode } from "../ops/index.js";
import { normalizeGraph } from "../passes/normalize.js";
import { bringToTrainable } from "../passes/distillation/bring-to-trainable.js";
import { differentiate } from "./differentiate.js";
import { floatsOf, load } from "./gradient-check.test.support.js";
import { learnedConstants, leaveUnlearned } from "./parameters.js";
import { readSafetensors } from "./safetensors.js";

/** What `bench/peers/gradients.py` wrote with PyTorch 2.15. */
const folder = new URL("../../../fixtures/goldens/gradients/", import.meta.url);
const models = readdirSync(folder)
  .filter((name) => name.endsWith(".onnx"))
  .map((name) => name.slice(0, -".onnx".length));

async function exported(name: string): Promise<Graph> {
  const proto = byteSource(await readFile(new URL(`${name}.onnx`, folder)));
  const graph = await decodeModel({ proto, external: new Map() }, { infer: inferNode });
  normalizeGraph(graph);
  return graph;
}

const largest = (values: Iterable<number>): number =>
  [...values].reduce((most, value) => Math.max(most, Math.abs(value)), 0);

it("there are twelve", () => expect(models.length).toBe(12));

it.each(models)("gradients of %s are PyTorch's", async (name) => {
  const graph = await exported(name);
  const bytes = await readFile(new URL(`${name}.safetensors`, folder));
  const { arrays } = readSafetensors(bytes, name);
  const [loss] = graph.main.outputs;
  if (loss === undefined) throw new Error("no loss");
  const expected = [...arrays].flatMap(([key, array]) => {
    if (!key.startsWith("gradient:")) return [];
    const own = key.slice("gradient:".length);
    const value = [...graph.allValues()].find(
      (found) => found.name === own && found.producer === null,
    );
    if (value === undefined) throw new Error(`no ${own}`);
    return [[value.id, own, array] as const];
  });
  expect(expected.length).toBeGreaterThan(2);
  const wanted = expected.map(([id]): ValueId => id);
  const gradients = differentiate(graph, loss, wanted, { engine: "cpu" });
  edit(graph, "outputs", (editor) => gradients.forEach((id) => editor.addOutput(id)), {
    interface: true,
  });
  const session = await load(graph);
  const feeds = session.inputs.map(({ name: input, type }): [string, Dense] => {
    const array = arrays.get(`input:${input}`);
    if (array === undefined) throw new Error(`no ${input}`);
    return [input, convert({ type: "float32", ...array }, type)];
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.dispose();
  const lossName = graph.value(loss).name;
  const lossOf = (data: Float32Array | undefined): number => data?.[0] ?? NaN;
  expect(lossOf(floatsOf(results[lossName]))).toBeCloseTo(lossOf(arrays.get("loss")?.data), 4);
  // Within what the sums' orders leave, of the model's largest gradient and of each parameter's own.
  for (const [, own, { data, dims }] of expected) {
    const found = results[`${own}.gradient`];
    expect(found?.dims, own).toEqual(dims);
    const numbers = floatsOf(found);
    const difference = largest(data.map((value, i) => value - (numbers[i] ?? NaN)));
    expect(difference, own).toBeLessThan(1e-3 * largest(data) + 1e-6);
  }
});

/** What no layer owns in these files, though PyTorch learned it. */
const free: Readonly<Record<string, readonly string[]>> = {
  convnext: ["scale"],
  language: ["positions"],
};

/** But of a file that rounds weights in its graph: what is rounded is no constant that a layer reads. */
const plain = models.filter((name) => name !== "fake-quantized");

it.each(plain)("as many numbers are learned of %s as PyTorch learns", async (name) => {
  const graph = await exported(name);
  const bytes = await readFile(new URL(`${name}.safetensors`, folder));
  const { arrays } = readSafetensors(bytes, name);
  const given = new Set(graph.main.inputs.map((id) => graph.value(id).name));
  let parameters = 0;
  for (const [key, { data }] of arrays)
    if (key.startsWith("gradient:") && !given.has(key.slice("gradient:".length)))
      parameters += data.length;
  await bringToTrainable(graph);
  let learned = 0;
  for (const { as, tensor } of learnedConstants(graph, free[name]))
    if (as !== "mean" && as !== "variance") learned += tensor.count;
  expect(learned).toBe(parameters);
  expect(leaveUnlearned(graph, free[name] ?? [], "distill")).toBeNull();
});
