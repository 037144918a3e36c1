import { input, layers, model, sequential, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import type { Graph, ValueId } from "../../ir/index.js";
import { floats, type Numbers } from "../tensorflow-model.test.support.js";
import {
  expectLayersAlike,
  expectSavedAlike,
  graphOfSaved,
  layerIn,
  layersIn,
  saved,
} from "./layers-model.test.support.js";

const dense = (units: number, name: string, inputShape?: number[]) =>
  layers.dense({ units, name, ...(inputShape && { inputShape }) });

/** What a layer, or a model as one, gives for some tensors. */
const applied = (
  layer: { apply(of: SymbolicTensor | SymbolicTensor[]): unknown },
  ...of: SymbolicTensor[]
): SymbolicTensor => layer.apply(of.length === 1 ? (of[0] ?? []) : of) as SymbolicTensor;

const namesOf = (graph: Graph, ids: readonly ValueId[]) => ids.map((id) => graph.value(id).name);

describe("a model of layers", () => {
  it("is a sequence, whose input is called after its first layer", async () => {
    const built = sequential({
      layers: [
        layers.conv2d({
          inputShape: [8, 8, 3],
          filters: 4,
          kernelSize: 3,
          padding: "same",
          strides: 2,
          activation: "relu",
          name: "first",
        }),
        layers.flatten(),
        layers.dense({ units: 5, activation: "softmax", name: "last" }),
      ],
    });
    const graph = await expectLayersAlike(built, [floats([2, 8, 8, 3])]);
    expect(namesOf(graph, graph.main.inputs)).toEqual(["first_input"]);
    expect(namesOf(graph, graph.main.outputs)).toEqual(["last"]);
    expect([...graph.allValues()].some(({ name }) => name === "first")).toBe(true);
  });

  it("has several inputs and outputs, in their order", async () => {
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [3], name: "b" })];
    const left = applied(dense(5, "left"), a);
    const right = applied(dense(5, "right"), b);
    const both = applied(layers.concatenate({ name: "both" }), left, right);
    const built = model({ inputs: [b, a], outputs: [both, left, applied(dense(2, "end"), both)] });
    const graph = await expectLayersAlike(built, [floats([2, 3]), floats([2, 4])]);
    expect(namesOf(graph, graph.main.inputs)).toEqual(["b", "a"]);
    expect(namesOf(graph, graph.main.outputs)).toEqual(["both", "left", "end"]);
  });

  it("gives one output twice, or an input, by names of their own", async () => {
    const a = input({ shape: [4], name: "a" });
    const made = applied(dense(5, "d"), a);
    const file = await saved(model({ inputs: a, outputs: made }));
    const config = file.json.modelTopology["config"] as Record<string, unknown>;
    config["output_layers"] = [["d", 0, 0], ["d", 0, 0], ["a", 0, 0]]; // prettier-ignore
    const graph = await graphOfSaved(file);
    expect(namesOf(graph, graph.main.outputs)).toEqual(["d", "d_1", "a_1"]);
  });

  it("calls a layer several times, with the same weights", async () => {
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [4], name: "b" })];
    const shared = dense(4, "shared");
    const sum = applied(layers.add(), applied(shared, a), applied(shared, b));
    const graph = await expectLayersAlike(
      model({ inputs: [a, b], outputs: applied(shared, sum) }),
      [floats([2, 4]), floats([2, 4], [1, 2, 3, 4, 4, 3, 2, 0])],
    );
    const kernels = [...graph.allValues()].filter(({ name }) => name === "shared/kernel");
    expect(kernels).toHaveLength(1);
  });

  it("has a model as a layer, and calls it several times", async () => {
    const inner = sequential({ name: "inner", layers: [dense(4, "one", [4]), dense(4, "two")] });
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [4], name: "b" })];
    const difference = applied(layers.maximum(), applied(inner, a), applied(inner, b));
    const built = model({ inputs: [a, b], outputs: [difference, applied(inner, difference)] });
    const given = [floats([2, 4]), floats([2, 4], [1, 2, 3, 4, 4, 3, 2, 0])];
    const graph = await expectLayersAlike(built, given);
    expect(namesOf(graph, graph.main.outputs)[1]).toBe("inner");
  });

  it("has a model of several inputs and outputs as a layer", async () => {
    const [x, y] = [input({ shape: [4], name: "x" }), input({ shape: [3], name: "y" })];
    const joined = applied(layers.concatenate({ name: "joined" }), y, x);
    const pair = model({ inputs: [x, y], outputs: [applied(dense(2, "p"), joined), joined], name: "pair" }); // prettier-ignore
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [3], name: "b" })];
    const [first, second] = pair.apply([a, b]) as SymbolicTensor[];
    if (first === undefined || second === undefined) throw new Error("no outputs");
    const end = applied(layers.concatenate({ name: "end" }), second, first);
    await expectLayersAlike(model({ inputs: [a, b], outputs: end }), [
      floats([2, 4]),
      floats([2, 3]),
    ]);
  });

  it("is a sequence of sequences of models, as Teachable Machine writes it", async () => {
    const image = input({ shape: [12, 12, 3], name: "image" });
    const options = { padding: "same", useBias: false } as const;
    const blocks = [8, 8].reduce((value, filters, at) => {
      const grown = applied(layers.conv2d({ ...options, filters, kernelSize: 1, name: `expand_${at}` }), value); // prettier-ignore
      const normal = applied(layers.batchNormalization({ name: `bn_${at}`, epsilon: 1e-3 }), grown);
      const active = applied(layers.reLU({ maxValue: 6, name: `relu_${at}` }), normal);
      const deep = applied(layers.depthwiseConv2d({ ...options, kernelSize: 3, name: `deep_${at}` }), active); // prettier-ignore
      return at === 0 ? deep : applied(layers.add({ name: `sum_${at}` }), value, deep);
    }, image);
    const pooled = applied(layers.globalAveragePooling2d({ name: "pool" }), blocks);
    const body = model({ inputs: image, outputs: pooled, name: "body" });
    const built = sequential({
      layers: [
        sequential({ name: "outer", layers: [body] }),
        sequential({
          name: "head",
          layers: [
            layers.dense({ units: 10, inputShape: [8], activation: "relu", name: "dense_1" }),
            layers.dense({ units: 3, useBias: false, activation: "softmax", name: "dense_2" }),
          ],
        }),
      ],
    });
    const graph = await expectLayersAlike(built, [floats([2, 12, 12, 3])]);
    expect(namesOf(graph, graph.main.inputs)).toEqual(["image"]);
    expect(namesOf(graph, graph.main.outputs)).toEqual(["head"]);
  });
});

describe("what Keras writes", () => {
  const plain = () =>
    saved(sequential({ layers: [dense(4, "one", [3]), dense(2, "two")], name: "m" }));
  const given: readonly Numbers[] = [floats([2, 3])];

  it("is a configuration within another object", async () => {
    const file = await plain();
    file.json.modelTopology = { keras_version: "2.8.0", model_config: file.json.modelTopology };
    const graph = await graphOfSaved(file);
    expect(namesOf(graph, graph.main.outputs)).toEqual(["two"]);
  });

  it("has a bare list of layers, as in its old files", async () => {
    const file = await plain();
    file.json.modelTopology["config"] = layersIn(file);
    await expectSavedAlike(file, given);
  });

  it("has an InputLayer in a sequence, and its shape by another name", async () => {
    const file = await plain();
    const shape = layerIn(file, 0)["batch_input_shape"];
    layersIn(file).unshift({
      class_name: "InputLayer",
      config: { name: "x", batch_shape: shape, dtype: { class_name: "DTypePolicy", config: {} } },
    });
    const graph = await graphOfSaved(file);
    expect(namesOf(graph, graph.main.inputs)).toEqual(["x"]);
  });

  it("is read without its format being named", async () => {
    const file = await plain();
    const json = { ...file.json, format: undefined };
    const graph = await graphOfSaved({ ...file, json: JSON.parse(JSON.stringify(json)) });
    expect(namesOf(graph, graph.main.outputs)).toEqual(["two"]);
  });

  it("has weights behind the names of models that built them", async () => {
    const inner = sequential({ name: "inner", layers: [dense(4, "one", [3])] });
    const built = sequential({ layers: [inner, dense(2, "two")] });
    const file = await saved(built);
    const named = structuredClone(file);
    for (const weight of named.json.weightsManifest[0]?.weights ?? [])
      if (weight.name.startsWith("one/")) weight.name = `inner/${weight.name}`;
    await expectSavedAlike(named, given, 1e-5, file);
  });

  it("counts calls of a model from 0 or from 1", async () => {
    const inner = sequential({ name: "inner", layers: [dense(3, "one", [3])] });
    const a = input({ shape: [3], name: "a" });
    const built = model({ inputs: a, outputs: applied(inner, applied(inner, a)) });
    const file = await saved(built);
    const text = JSON.stringify(file.json);
    expect(text).toContain('["inner",1,0');
    expect(text).toContain('["inner",2,0');
    const lower = text.replaceAll('["inner",1,0', '["inner",0,0').replaceAll('["inner",2,0', '["inner",1,0'); // prettier-ignore
    await expectSavedAlike({ ...file, json: JSON.parse(lower) }, given, 1e-5, file);
  });
});
