import { describe, expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { handling } from "./operators.js";
import { planEveryOperator } from "./plan.js";
import { operators } from "../../ops/index.js";

type Build = (x: ValueId, b: Builder) => Readonly<Record<string, ValueId>>;

/** The planned activations by name, each with whose parameters it takes or what QuantizeLinear reads in its place. */
async function planned(build: Build, ops: readonly string[] = []): Promise<readonly string[]> {
  const graph: Graph = graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => build(input("x"), b));
  const { activations } = await planEveryOperator(graph, { keepFloat: { nodes: [], ops } });
  const name = (id: ValueId): string => {
    const producer = graph.producer(id);
    return producer === undefined ? graph.value(id).name : producer.op;
  };
  return [...activations].map(([value, { source, sameAs }]) => {
    if (sameAs !== null) return `${name(value)} as ${name(sameAs)}`;
    return source === value ? name(value) : `${name(value)} of ${name(source)}`;
  });
}

describe("the plan of onnxruntime's Python quantizer", () => {
  it("rounds what a node with weights reads and gives, and lets a Relu go", async () => {
    const build: Build = (x, b) => ({
      y: b.add("Relu", [b.add("Conv", [x, b.weights(2, 3, 1, 1)])]),
    });
    expect(await planned(build)).toEqual(["x", "Relu of Conv"]);
    expect(await planned(build, ["Relu"])).toEqual(["x", "Conv"]);
    expect(await planned(build, ["Conv"])).toEqual([]);
  });

  it("keeps a Relu whose input others read too", async () => {
    const build: Build = (x, b) => {
      const conv = b.add("Conv", [x, b.weights(2, 3, 1, 1)]);
      return { y: b.add("Relu", [conv]), z: b.add("Sigmoid", [conv]) };
    };
    expect(await planned(build)).toEqual(["x", "Conv", "Relu", "Sigmoid"]);
  });

  it("gives what only moves numbers the parameters of what it moves, where that is rounded", async () => {
    const pool = { kernel_shape: attribute.ints([2, 2]) };
    expect(
      await planned((x, b) => ({ y: b.add("MaxPool", [b.add("Sigmoid", [x])], pool) })),
    ).toEqual(["x", "Sigmoid", "MaxPool as Sigmoid"]);
    expect(await planned((x, b) => ({ y: b.add("MaxPool", [x], pool) }))).toEqual([]);
  });

  it("rounds a Pad of zeros alone", async () => {
    const pad =
      (value: number): Build =>
      (x, b) => ({
        y: b.add("Pad", [
          b.add("Sigmoid", [x]),
          b.ints([0, 0, 1, 1, 0, 0, 1, 1]),
          b.floats([value]),
        ]),
      });
    expect(await planned(pad(0))).toEqual(["x", "Sigmoid", "Pad as Sigmoid"]);
    expect(await planned(pad(1))).toEqual(["x", "Sigmoid"]);
  });

  it("rounds both operands of a product of activations, and all that is added or joined", async () => {
    expect(await planned((x, b) => ({ y: b.add("MatMul", [x, b.add("Exp", [x])]) }))).toEqual([
      "x",
      "Exp",
      "MatMul",
    ]);
    expect(
      await planned((x, b) => ({
        y: b.add("Concat", [x, b.add("Exp", [x])], { axis: attribute.int(1) }),
      })),
    ).toEqual(["x", "Exp", "Concat"]);
  });

  it("rounds of a normalization its first input alone", async () => {
    const build: Build = (x, b) => ({
      y: b.add("InstanceNormalization", [x, b.add("Exp", [b.weights(3)]), b.weights(3)]),
    });
    expect(await planned(build)).toEqual(["x", "InstanceNormalization"]);
  });

  it("speaks of operators that are known", () => {
    expect([...handling.keys()].filter((op) => !operators.has(op))).toEqual([]);
  });
});
