import { expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, type Declared, graphOf } from "../rules/rule-case.test.support.js";
import { bindForcedSizes } from "./forced-sizes.js";

function shapesOf(graph: Graph): Readonly<Record<string, readonly string[]>> {
  const ends = [...graph.main.inputs, ...graph.main.outputs];
  return Object.fromEntries(
    ends.map((id) => {
      const { name, type } = graph.value(id);
      return [name, type.kind === "tensor" ? (type.shape ?? []).map(String) : []];
    }),
  );
}

type Build = (b: Builder, x: ValueId) => ValueId;

it.each<[string, Declared, Build, readonly string[], readonly string[]]>([
  ["a vector that is multiplied", ["float32", "batch"], (b, x) => b.add("MatMul", [x, b.weights(11, 3)]), ["11"], ["3"]],
  ["features of samples", ["float32", "N", "features"], (b, x) => b.add("MatMul", [x, b.weights(4, 3)]), ["N", "4"], ["N", "3"]],
  ["features of turned weights", ["float32", "N", "features"], (b, x) => b.add("Gemm", [x, b.weights(3, 4), b.weights(3)], { transB: attribute.int(1) }), ["N", "4"], ["N", "3"]],
  ["channels, in groups", ["float32", "N", "C", 8, "W"], (b, x) => b.add("Conv", [x, b.weights(4, 3, 3, 3)], { group: attribute.int(2) }), ["N", "6", "8", "W"], ["N", "4", "6", "W - 2"]],
  ["what is computed before", ["float32", "N", "F"], (b, x) => b.add("MatMul", [b.add("Relu", [x]), b.weights(4, 3)]), ["N", "4"], ["N", "3"]],
])("gives %s the one size that they can have", (_, declared, build, input, output) => {
  const graph = graphOf({ x: declared }, (given, b) => ({ y: build(b, given("x")) }));
  bindForcedSizes(graph);
  expect(shapesOf(graph)).toEqual({ x: input, y: output });
}); // prettier-ignore

it.each<[string, Declared, Build]>([
  ["a dim that is summed of two", ["float32", "N", "A"], (b, x) => b.add("MatMul", [b.add("Concat", [x, x], { axis: attribute.int(1) }), b.weights(4, 3)])],
  ["the rows of a turned operand", ["float32", "K", "N"], (b, x) => b.add("Gemm", [x, b.weights(4, 3)], { transA: attribute.int(1) })],
  ["two dims of one name", ["float32", "N", "N"], (b, x) => b.add("MatMul", [x, b.weights(4, 3)])],
  ["weights that are given", ["float32", "N", "N"], (b, x) => b.add("MatMul", [x, x])],
])("leaves %s free", (_, declared, build) => {
  const graph = graphOf({ x: declared }, (given, b) => ({ y: build(b, given("x")) }));
  const before = shapesOf(graph);
  bindForcedSizes(graph);
  expect(shapesOf(graph)).toEqual(before);
}); // prettier-ignore
