import { onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import { type Builder, graphOf, madeUp, onEngine } from "../../rules/rule-case.test.support.js";
import { evaluateGraph } from "../../ops/index.js";
import { relativeError } from "../../wasm/run-model.test.support.js";
import { inEngineOpset } from "./engine-opset.js";

type Move = (x: ValueId, b: Builder) => ValueId;
const moves: readonly (readonly [string, Move])[] = [
  ["Transpose", (x, b) => b.add("Transpose", [x], { perm: attribute.ints([0, 2, 1]) })],
  ["Reshape", (x, b) => b.add("Reshape", [x, b.ints([3, 4])])],
  ["Squeeze", (x, b) => b.add("Squeeze", [x, b.ints([0])])],
  ["Unsqueeze", (x, b) => b.add("Unsqueeze", [x, b.ints([0])])],
  ["Slice", (x, b) => b.add("Slice", [x, b.ints([0]), b.ints([2]), b.ints([1])])],
  ["MaxPool", (x, b) => b.add("MaxPool", [x], { kernel_shape: attribute.ints([2]) })],
];

/** What was rounded, moved, and read as it is. */
function moved(move: Move, zero: Tensor, isRounded = false): Graph {
  return graphOf({ x: ["float32", 1, 3, 4] }, (input, b) => {
    const parameters = [b.floats([0.0625]), b.editor.constant("zero", zero)];
    const rounded = b.add("QuantizeLinear", [b.add("Relu", [input("x")]), ...parameters]);
    const result = move(b.add("DequantizeLinear", [rounded, ...parameters]), b);
    if (!isRounded) return { y: b.add("Sigmoid", [result]) };
    const again = b.add("QuantizeLinear", [result, ...parameters]);
    return { y: b.add("DequantizeLinear", [again, ...parameters]) };
  });
}

const signed = Tensor.of("int8", [], Int8Array.of(-3));

it.each(moves)("lets the engine load what was int8 before %s", async (_, move) => {
  const graph = moved(move, signed);
  const older = inEngineOpset(graph);
  expect([graph.opset(), older.opset()]).toEqual([21, 20]);
  const feeds = madeUp(graph, {});
  const [want, got] = [await evaluateGraph(graph, feeds), await onEngine(older, feeds)];
  expect(relativeError(want, got)).toBeLessThan(1e-5);
});

it("leaves what the engine loads in the opset that it has", async () => {
  const [[, move]] = moves as [readonly [string, Move]];
  for (const graph of [
    moved(move, Tensor.of("uint8", [], Uint8Array.of(3))),
    moved(move, signed, true),
    moved((x, b) => b.add("Tanh", [x]), signed),
  ]) {
    expect(inEngineOpset(graph)).toBe(graph);
    const { proto } = await encodeModel(graph);
    await (await cpu().load(onnxArtifact(proto))).dispose();
  }
});

it.each(["Elu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Selu", "Softplus", "Softsign"])(
  "lets the engine load %s of float64",
  async (op) => {
    const graph = graphOf({ x: ["float64", 3] }, (input, b) => ({ y: b.add(op, [input("x")]) }));
    const feeds = madeUp(graph, {});
    const [want, got] = [
      await evaluateGraph(graph, feeds),
      await onEngine(inEngineOpset(graph), feeds),
    ];
    expect(relativeError(want, got)).toBeLessThan(1e-5);
  },
);

describe("pools of means", () => {
  const pooled = (next: Move, more = {}): Graph =>
    graphOf({ x: ["float32", 1, 4, 9, 9] }, (input, b) => {
      const window = { kernel_shape: attribute.ints([3, 3]), pads: attribute.ints([1, 1, 1, 1]) };
      return { y: next(b.add("AveragePool", [input("x")], { ...window, ...more }), b) };
    });

  it("are written in the opset of which the engine has a fast kernel", async () => {
    const graph = pooled((x, b) => b.add("Relu", [x]));
    const older = inEngineOpset(graph);
    expect([graph.opset(), older.opset()]).toEqual([21, 18]);
    const feeds = madeUp(graph, {});
    const [want, got] = [await evaluateGraph(graph, feeds), await onEngine(older, feeds)];
    expect(relativeError(want, got)).toBeLessThan(1e-6);
  });

  it("stay where something else would take more nodes there, or they have dilations", () => {
    const gelu = pooled((x, b) => b.add("Gelu", [x]));
    expect(inEngineOpset(gelu)).toBe(gelu);
    const dilated = pooled((x, b) => b.add("Relu", [x]), { dilations: attribute.ints([2, 2]) });
    expect(inEngineOpset(dilated)).toBe(dilated);
  });

  it("stay where the engine's older kernel would refuse their pads", async () => {
    const graph = graphOf({ x: ["float32", 1, 4, 8, 8] }, (input, b) => {
      const [kernel_shape, strides] = [attribute.ints([2, 2]), attribute.ints([4, 4])];
      const window = { kernel_shape, strides, auto_pad: attribute.string("SAME_UPPER") };
      return { y: b.add("AveragePool", [input("x")], window) };
    });
    expect(inEngineOpset(graph)).toBe(graph);
    expect((await onEngine(graph, madeUp(graph, {})))["y"]?.dims).toEqual([1, 4, 2, 2]);
  });
});
