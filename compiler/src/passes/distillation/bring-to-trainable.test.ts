import { expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { learnedConstants } from "../../train/parameters.js";
import { untieVectors } from "../../train/untie-vectors.js";
import { bringToTrainable } from "./bring-to-trainable.js";

/** What is learned of a graph, by what reads it first. */
async function learned(graph: Graph): Promise<readonly string[]> {
  await bringToTrainable(graph);
  untieVectors(graph);
  return learnedConstants(graph).map(({ as, reader }) => `${as} of ${reader.op}`);
}

const vector = (b: Builder, ...values: readonly number[]): ValueId =>
  b.editor.constant("v", Tensor.float32([values.length], values));

it("finds what is behind an Identity, and as many as there are", async () => {
  // As PyTorch's exporter by tracing writes equal parameters: once, and the others as Identities.
  const graph = graphOf({ x: ["float32", 2, 3] }, (input, b) => {
    const [ones, zeros] = [vector(b, 1, 1), vector(b, 0, 0)];
    const same = (value: ValueId): ValueId => b.add("Identity", [value]);
    const y = b.add("Gemm", [input("x"), b.weights(3, 2), same(zeros)]);
    const norm = [y, ones, same(zeros), zeros, same(ones)];
    return { y: b.add("BatchNormalization", norm) };
  });
  const norm = "BatchNormalization";
  expect(await learned(graph)).toEqual([
    "weight of Gemm",
    "bias of Gemm",
    ...["scale", "bias", "mean", "variance"].map((as) => `${as} of ${norm}`),
  ]);
});

it("lets equal weights of layers that were copied learn each for itself, and shared ones together", async () => {
  const graph = graphOf({ x: ["float32", 2, 3] }, (input, b) => {
    const weight = b.weights(3, 3);
    const layer = (x: ValueId, own: ValueId): ValueId => b.add("Relu", [b.add("MatMul", [x, own])]);
    const [copy = weight] = b.editor.add("Identity", [weight], {}, { outputs: ["b.weight"] });
    return { y: layer(layer(layer(input("x"), weight), weight), copy) };
  });
  expect(await learned(graph)).toEqual(["weight of MatMul", "weight of MatMul"]);
  expect(learnedConstants(graph).map(({ name }) => name)).toEqual(["w", "b.weight"]);
});

it("finds weights that are joined or turned of constants", async () => {
  const graph = graphOf({ x: ["float32", 2, 3] }, (input, b) => {
    const joined = b.add("Concat", [b.weights(3, 2), b.weights(3, 2)], { axis: attribute.int(1) });
    const turned = b.add("Transpose", [b.weights(2, 4)]);
    return { y: b.add("MatMul", [b.add("MatMul", [input("x"), joined]), turned]) };
  });
  expect(await learned(graph)).toEqual(["weight of MatMul", "weight of MatMul"]);
});

it("leaves what is shared on purpose one: a table of words, and what tells words by it", async () => {
  const graph = graphOf({ x: ["int64", 2] }, (input, b) => {
    const table = b.weights(20, 64);
    const rows = b.add("Gather", [table, input("x")]);
    return { y: b.add("MatMul", [rows, b.add("Transpose", [table])]) };
  });
  expect(await learned(graph)).toEqual(["weight of Gather"]);
  expect(graph.order().map(({ op }) => op)).toContain("Transpose");
});

it("has norms and dropouts as in inference", async () => {
  const on = { training_mode: attribute.int(1) };
  const graph = graphOf({ x: ["float32", 2, 3] }, (input, b) => {
    const ratio = b.editor.constant("ratio", Tensor.float32([], [0.5]));
    const mode = b.editor.constant("mode", Tensor.of("bool", [], Uint8Array.of(1)));
    const norm = [input("x"), ...[1, 2, 3, 4].map((at) => vector(b, at, at, at))];
    const [y = 0 as never] = b.editor.add("BatchNormalization", norm, on, {
      outputs: ["y", "running_mean", "running_variance"],
    });
    return { z: b.add("Dropout", [y, ratio, mode]) };
  });
  await bringToTrainable(graph);
  const [norm, dropout] = graph.order();
  expect(norm?.attributes.get("training_mode")).toEqual(attribute.int(0));
  expect(norm?.outputs).toHaveLength(1);
  expect(dropout?.inputs).toHaveLength(2);
});
