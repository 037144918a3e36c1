import { describe, expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { dropLengths, dropZeroStates } from "./recurrent.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";

const hidden = { hidden_size: attribute.int(4) };

function gru(lengths: readonly number[] | "given"): Graph {
  return graphOf({ x: ["float32", 5, 2, 3], n: ["int32", 2] }, (input, b) => {
    const ends =
      lengths === "given"
        ? input("n")
        : b.editor.constant("n", Tensor.of("int32", [2], Int32Array.from(lengths)));
    const [y = input("x")] = b.many(
      "GRU",
      2,
      [input("x"), b.weights(1, 12, 3), b.weights(1, 12, 4), null, ends],
      hidden,
    );
    return { y };
  });
}

async function keepsLengths(graph: Graph): Promise<boolean> {
  await apply(dropLengths, graph);
  const [node] = graph.order();
  return (node?.inputs[4] ?? null) !== null;
}

describe("lengths of sequences", () => {
  it("are dropped where all are the input's", async () => {
    expect(await keepsLengths(gru([5, 5]))).toBe(false);
  });

  it("stay where one is shorter, and where only a run knows them", async () => {
    expect(await keepsLengths(gru([5, 3]))).toBe(true);
    expect(await keepsLengths(gru("given"))).toBe(true);
  });
});

/** An LSTM whose first states are made of a size that a run knows. */
function lstm(state: (b: Builder, batch: ValueId, given: ValueId) => ValueId): Graph {
  return graphOf({ x: ["float32", 5, "N", 3], h: ["float32", 1, "N", 4] }, (input, b) => {
    const size = b.add("Slice", [b.add("Shape", [input("x")]), b.ints([1]), b.ints([2])]);
    const shape = b.add("Concat", [b.ints([1]), size, b.ints([4])], { axis: attribute.int(0) });
    const made = state(b, shape, input("h"));
    const weights = [b.weights(1, 16, 3), b.weights(1, 16, 4), b.weights(1, 32)];
    const [y = made] = b.many("LSTM", 1, [input("x"), ...weights, null, made, made], hidden);
    return { y };
  });
}

async function keepsState(graph: Graph): Promise<boolean> {
  await apply(dropZeroStates, graph);
  const [node] = graph.order().filter(({ op }) => op === "LSTM");
  return (node?.inputs[5] ?? node?.inputs[6] ?? null) !== null;
}

describe("first states", () => {
  it.each<[string, (b: Builder, shape: ValueId) => ValueId]>([
    ["Expand", (b, shape) => b.add("Expand", [b.floats([0]), shape])],
    ["ConstantOfShape", (b, shape) => b.add("ConstantOfShape", [shape])],
    ["a value that says so", (b, shape) => b.add("ConstantOfShape", [shape], { value: attribute.tensor(Tensor.float32([1], [0])) })], // prettier-ignore
    ["half of zeros", (b, shape) => b.add("Gather", [b.add("Concat", [b.add("ConstantOfShape", [shape]), b.add("Expand", [b.floats([0]), shape])], { axis: attribute.int(0) }), b.ints([1])])], // prettier-ignore
  ])("are dropped where they are zeros: by %s", async (_, state) => {
    expect(await keepsState(lstm(state))).toBe(false);
  });

  it.each<[string, (b: Builder, shape: ValueId, given: ValueId) => ValueId]>([
    ["they are given", (_, __, given) => given],
    ["they are ones", (b, shape) => b.add("Expand", [b.floats([1]), shape])],
    ["a value is none", (b, shape) => b.add("ConstantOfShape", [shape], { value: attribute.tensor(Tensor.float32([1], [0.5])) })], // prettier-ignore
    ["they are added", (b, shape, given) => b.add("Add", [b.add("ConstantOfShape", [shape]), given])], // prettier-ignore
  ])("stay where %s", async (_, state) => {
    expect(await keepsState(lstm(state))).toBe(true);
  });
});
