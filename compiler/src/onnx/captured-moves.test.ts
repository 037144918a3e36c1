import { expect, it } from "vitest";
import { attribute, captures, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { quantizeStatic } from "../passes/quantize-static.js";
import { agreement, feedsOf, quantized } from "../passes/quantization/engine-case.test.support.js";
import { type Builder, either, graphOf, onEngine } from "../rules/rule-case.test.support.js";
import { withRoundedCaptures } from "./captured-moves.js";

type Move = (x: ValueId, b: Builder) => ValueId;

function branches(b: Builder, condition: ValueId, read: ValueId): ValueId {
  return either(
    b,
    condition,
    (then) => then.add("Sigmoid", [read]),
    (otherwise) => otherwise.add("Neg", [read]),
  );
}

/** Branches that read what was rounded and then moved. */
function branching(move: Move, zero = Tensor.of("uint8", [], Uint8Array.of(3))): Graph {
  return graphOf({ x: ["float32", 1, 4, 4], c: ["bool"] }, (input, b) => {
    const steps = [b.floats([0.0625]), b.editor.constant("zero", zero)];
    const rounded = b.add("QuantizeLinear", [b.add("Sigmoid", [input("x")]), ...steps]);
    const moved = move(b.add("DequantizeLinear", [rounded, ...steps]), b);
    return { z: b.add("Tanh", [moved]), y: branches(b, input("c"), moved) };
  });
}

/** What makes what bodies read. */
function makersOfCaptured(graph: Graph): readonly (string | undefined)[] {
  return [...graph.allBodies()]
    .filter((body) => body !== graph.main)
    .flatMap((body) => captures(graph, body))
    .map((value) => graph.producer(value)?.op);
}

/** The engine would end this process: what it is given is looked at first. */
async function opensAndAgrees(graph: Graph): Promise<void> {
  const written = withRoundedCaptures(graph);
  expect(new Set(makersOfCaptured(written))).toEqual(new Set(["DequantizeLinear"]));
  const feeds = feedsOf(graph);
  const [want, got] = [await evaluateGraph(graph, feeds), await onEngine(graph, feeds)];
  expect(agreement(want, got)).toBeGreaterThan(90);
}

it.each<[string, Move]>([
  ["a Transpose", (x, b) => b.add("Transpose", [x], { perm: attribute.ints([0, 2, 1]) })],
  ["a Reshape", (x, b) => b.add("Reshape", [x, b.ints([2, 8])])],
  ["a Slice", (x, b) => b.add("Slice", [x, b.ints([0]), b.ints([2]), b.ints([1])])],
  ["a MaxPool", (x, b) => b.add("MaxPool", [x], { kernel_shape: attribute.ints([2]) })],
  [
    "a Squeeze and an Unsqueeze",
    (x, b) => b.add("Unsqueeze", [b.add("Squeeze", [x, b.ints([0])]), b.ints([1])]),
  ],
])("lets the engine open what bodies read behind %s of what was rounded", async (_, move) => {
  await opensAndAgrees(branching(move));
});

it("lets the engine open it where the integers have a sign", async () => {
  await opensAndAgrees(
    branching(
      (x, b) => b.add("Reshape", [x, b.ints([-1])]),
      Tensor.of("int8", [], Int8Array.of(-3)),
    ),
  );
});

it("lets the engine open what quantize-static made", async () => {
  const float = graphOf({ x: ["float32", 1, 3, 4, 4], c: ["bool"] }, (input, b) => {
    const conv = b.add("Conv", [input("x"), b.weights(4, 3, 1, 1)]);
    return { y: branches(b, input("c"), b.add("Reshape", [conv, b.ints([4, 16])])) };
  });
  const written = withRoundedCaptures(await quantized(quantizeStatic, float));
  expect(new Set(makersOfCaptured(written))).toEqual(new Set(["DequantizeLinear"]));
});

it("leaves what the engine opens as it is", () => {
  const own: Move = (x, b) => {
    const moved = b.add("Reshape", [x, b.ints([-1])]);
    b.add("QuantizeLinear", [moved, b.floats([0.5])]);
    return moved;
  };
  for (const move of [own, (x, b) => b.add("Relu", [x]), (x) => x] satisfies readonly Move[]) {
    const graph = branching(move);
    expect(withRoundedCaptures(graph)).toBe(graph);
  }
});
