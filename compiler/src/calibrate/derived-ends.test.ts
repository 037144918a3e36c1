import type { Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { calibrate } from "./calibrate.js";
import { derivedEnds } from "./derived-ends.js";

type Made = (x: ValueId, b: Builder) => ValueId;

const follows: readonly (readonly [string, Made])[] = [
  ["a rectifier", (x, b) => b.add("Relu", [x])],
  ["a clip", (x, b) => b.add("Clip", [x, b.floats([-0.25], []), b.floats([0.3], [])])],
  ["a clip at one end", (x, b) => b.add("Clip", [x, null, b.floats([0.3], [])])],
  ["another shape", (x, b) => b.add("Reshape", [x, b.ints([2, 6])])],
  ["another order", (x, b) => b.add("Transpose", [x])],
  ["a border of zeros", (x, b) => b.add("Pad", [x, b.ints([0, 1, 0, 0])])],
  ["a border of nines", (x, b) => b.add("Pad", [x, b.ints([1, 0, 0, 1]), b.floats([9], [])])],
  ["no border", (x, b) => b.add("Pad", [x, b.ints([0, 0, 0, 0]), b.floats([9], [])])],
];

const stays: readonly (readonly [string, Made])[] = [
  ["what computes", (x, b) => b.add("Sigmoid", [x])],
  ["a part", (x, b) => b.add("Slice", [x, b.ints([0]), b.ints([1])])],
  ["a border that cuts", (x, b) => b.add("Pad", [x, b.ints([0, -1, 0, 1])])],
  [
    "a border of edges",
    (x, b) => b.add("Pad", [x, b.ints([0, 1, 0, 0])], { mode: attribute.string("edge") }),
  ],
  [
    "a clip by what is computed",
    (x, b) => b.add("Clip", [x, b.add("ReduceMean", [x], { keepdims: attribute.int(0) })]),
  ],
];

function made(build: Made): { graph: Graph; x: ValueId; y: ValueId } {
  const graph = graphOf({ x: ["float32", 3, 4] }, (input, b) => ({ y: build(input("x"), b) }));
  const [x = 0 as ValueId] = graph.main.inputs;
  const [y = 0 as ValueId] = graph.main.outputs;
  return { graph, x, y };
}

const samplesOf = (...all: readonly (readonly number[])[]) => ({
  executor: cpu(),
  count: all.length,
  async *samples(): AsyncGenerator<Tensors> {
    for (const some of all) {
      const data = Float32Array.from({ length: 12 }, (_, i) => some[i % some.length] ?? 0);
      yield { x: { type: "float32", dims: [3, 4], data } };
    }
  },
});

const rangesOf = async (
  graph: Graph,
  extremes: readonly ValueId[],
  source: ReturnType<typeof samplesOf>,
) => (await calibrate(graph, source, { extremes, histograms: [], channelSums: [] })).ranges;

describe("ends follow through", () => {
  it.each(follows)("%s, as an engine finds them", async (_, build) => {
    const { graph, x, y } = made(build);
    const { sought, derived } = derivedEnds(graph, [y, x]);
    expect([sought, derived.map(({ value }) => value)]).toEqual([[x], [y]]);
    // Positive alone, negative alone, both, one number; then what hides the ends that are finite.
    for (const some of [[1, 0.1], [-1, -0.5], [0.7, -0.6, 0.1], [0.2]]) {
      const source = samplesOf(some, [some[0] ?? 0]);
      const both = await rangesOf(graph, [x, y], source);
      expect(both.get(y)).toEqual((await rangesOf(graph, [y], source)).get(y));
    }
    const faulty = samplesOf([1, -Infinity, NaN, 0.5]);
    const both = await rangesOf(graph, [x, y], faulty);
    expect(both.get(y)).toEqual((await rangesOf(graph, [y], faulty)).get(y));
  });

  it.each(stays)("nothing else: %s", (_, build) => {
    const { graph, x, y } = made(build);
    expect(derivedEnds(graph, [x, y])).toEqual({ sought: [x, y], derived: [] });
  });

  it("one after the other, and only from what is asked for", () => {
    const { graph, x, y } = made((value, b) =>
      b.add("Relu", [b.add("Transpose", [b.add("Sigmoid", [value])])]),
    );
    const [sigmoid = y, transpose = y] = graph.order().map((node) => node.outputs[0] ?? y);
    const all = derivedEnds(graph, [y, transpose, sigmoid, x]);
    expect(all.sought).toEqual([sigmoid, x]);
    expect(all.derived.map(({ value }) => value)).toEqual([transpose, y]);
    expect(derivedEnds(graph, [y, sigmoid]).derived).toEqual([]);
  });
});
