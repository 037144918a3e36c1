import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { randomOf } from "../pipeline/random.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { initializeFresh } from "./initialize.js";
import { learnedConstants, trainedConstants } from "./parameters.js";
import { network as trained } from "./small-networks.test.support.js";

/** Every kind of weights once, each of a few thousand. */
function network(): Graph {
  return graphOf({ x: ["float32", 1, 32, 9, 9], ids: ["int64", 4] }, (input, b) => {
    const conv = b.add("Conv", [input("x"), b.weights(64, 32, 3, 3), b.weights(64)]);
    const norms = Array.from({ length: 4 }, () => b.weights(64));
    const normed = b.add("BatchNormalization", [conv, ...norms]);
    const slope = b.add("PRelu", [normed, b.weights(64, 1, 1)]);
    const mean = b.add("Flatten", [b.add("GlobalAveragePool", [slope])]);
    const made = b.add("MatMul", [mean, b.weights(64, 96)]);
    const biased = b.add("Add", [made, b.weights(96)]);
    const shifted = b.add("Add", [biased, b.floats([0.5])]);
    const rows = b.add("Gather", [b.weights(500, 16), input("ids")]);
    const transB = { transB: attribute.int(1) };
    const scores = b.add("Gemm", [shifted, b.weights(50, 96), b.weights(50)], transB);
    const product = (equation: string, x: ValueId, weight: ValueId): ValueId =>
      b.add("Einsum", [x, weight], { equation: attribute.string(equation) });
    const heads = product("bd,dhk->bhk", scores, b.weights(50, 8, 12));
    return {
      scores,
      rows,
      joined: product("bhk,hko->bo", heads, b.weights(8, 12, 40)),
      each: product("bhk,hkm->bhm", heads, b.weights(8, 12, 60)),
    };
  });
}

const first = (graph: Graph, id: ValueId | null | undefined): number | undefined =>
  graph.constant(id)?.numbers()?.[0];

/** A network of which all numbers are others than fresh ones. */
function small(): Graph {
  const graph = trained();
  edit(graph, "learned", (editor) => {
    for (const { value, tensor } of learnedConstants(graph)) {
      const learned = Float32Array.from({ length: tensor.count }, (_, at) => 2 + at);
      editor.setConstant(value, Tensor.float32(tensor.dims, learned));
    }
  });
  return graph;
}

const numbersByName = (graph: Graph): ReadonlyMap<string, readonly number[]> =>
  new Map(learnedConstants(graph).map(({ name, tensor }) => [name, tensor.numbers() ?? []]));

const varianceOf = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value * value, 0) / values.length;

describe("what was learned", () => {
  it("is told by the operator table, and a shift that is no bias is none of it", () => {
    const found = learnedConstants(network()).map(
      ({ as, tensor }) => `${as} ${tensor.dims.join("×")}`,
    );
    const weights = ["weight 64×32×3×3", "weight 64×96", "weight 500×16", "weight 50×96"];
    const products = ["weight 50×8×12", "weight 8×12×40", "weight 8×12×60"];
    const biases = ["bias 64", "bias 64", "bias 96", "bias 50"];
    const norms = ["scale 64", "scale 64×1×1", "mean 64", "variance 64"];
    expect(found.toSorted()).toEqual([...weights, ...products, ...biases, ...norms].toSorted());
  });

  it.each<[string, readonly number[], (b: Builder, x: ValueId) => readonly ValueId[]]>([
    ["products of activations", [1, 1, 1, 4], (b, x) => [x, b.add("Transpose", [x])]],
    ["places", [3, 4], (b, x) => [x, b.weights(4, 4)]],
  ])("is no constant by which %s differ, such as a mask", (_, dims, factors) => {
    const graph = graphOf({ x: ["float32", 4, 4] }, (input, b) => {
      const mask = b.weights(...dims);
      b.editor.rename(mask, "mask");
      const layer = () => b.add("Add", [b.add("MatMul", factors(b, input("x"))), mask]);
      return { y: b.add("Sum", [layer(), layer()]) };
    });
    expect(learnedConstants(graph).map(({ as }) => as)).not.toContain("bias");
    const numbers = (): readonly unknown[] =>
      [...graph.allValues()].flatMap(({ name, constant }) =>
        name === "mask" ? [constant?.numbers()] : [],
      );
    const before = numbers();
    initializeFresh(graph, (name) => randomOf(3, name));
    expect(before).toHaveLength(1);
    expect(numbers()).toEqual(before);
  });

  it("is what an Einsum sums over, what peepholes multiply, and no factor of an outer product", () => {
    const graph = graphOf({ x: ["float32", 5, 1, 6], t: ["float32", 5] }, (input, b) => {
      const cell = [input("x"), b.weights(1, 8, 6), b.weights(1, 8, 2), null, null, null, null];
      const hidden = { hidden_size: attribute.int(2) };
      const [states = input("x")] = b.many("LSTM", 1, [...cell, b.weights(1, 6)], hidden); // prettier-ignore
      const heads = { equation: attribute.string("sdbk,khc->bshc") };
      const turned = { equation: attribute.string("i,j->ij") };
      return {
        y: b.add("Einsum", [states, b.weights(2, 3, 4)], heads),
        angles: b.add("Einsum", [input("t"), b.weights(7)], turned),
      };
    });
    const found = learnedConstants(graph).map(({ as, tensor }) => `${as} ${tensor.dims.join("×")}`);
    expect(found).toEqual(["weight 1×8×6", "weight 1×8×2", "weight 1×6", "weight 2×3×4"]);
  });

  it("is trained but for statistics, and named apart", () => {
    const learned = learnedConstants(network());
    const trained = trainedConstants(network(), learned, []);
    expect(trained.map(({ as }) => as)).not.toContain("mean");
    expect(new Set(learned.map(({ name }) => name)).size).toBe(learned.length);
  });
});

describe("fresh weights", () => {
  const random = (name: string): (() => number) => randomOf(3, name);

  it("leave what is frozen, also what its norms have counted", () => {
    const graph = small();
    const before = numbersByName(graph);
    initializeFresh(graph, random, ["conv.*", "norm.*"]);
    const after = numbersByName(graph);
    const changed = [...after].flatMap(([name, numbers]) =>
      numbers.join() === before.get(name)?.join() ? [] : name,
    );
    expect(changed.toSorted()).toEqual(["head.b", "head.w"]);
  });

  it("are those of each reader where a constant was one by chance", () => {
    const graph = graphOf({ x: ["float32", 1, 2, 3] }, (input, b) => {
      const shared = b.floats([0, 0]);
      const conv = b.add("Conv", [input("x"), b.weights(2, 2, 1), shared]);
      return { y: b.add("BatchNormalization", [conv, shared, shared, shared, shared]) };
    });
    initializeFresh(graph, random);
    const read = graph.order().map(({ inputs }) => inputs.slice(2).map((id) => first(graph, id)));
    expect(read).toEqual([[0], [0, 0, 1]]);
    expect(first(graph, graph.order()[1]?.inputs[1])).toBe(1);
  });

  it("leave one constant where it is frozen by its own name", () => {
    const graph = graphOf({ x: ["float32", 1, 2, 3] }, (input, b) => {
      const shared = b.floats([7, 7]);
      b.editor.rename(shared, "shared");
      const conv = b.add("Conv", [input("x"), b.weights(2, 2, 1), shared]);
      return { y: b.add("BatchNormalization", [conv, shared, shared, shared, shared]) };
    });
    initializeFresh(graph, random, ["shared"]);
    const [conv, norm] = graph.order();
    expect(new Set([conv?.inputs[2], ...(norm?.inputs.slice(1) ?? [])]).size).toBe(1);
    expect(first(graph, conv?.inputs[2])).toBe(7);
  });

  it("have the variance of He in front of a rectifier, of Glorot elsewhere, and come from the seed", async () => {
    const graph = network();
    initializeFresh(graph, random);
    const again = network();
    initializeFresh(again, random);
    const numbers = new Map<string, Float32Array>();
    for (const { as, tensor } of learnedConstants(graph))
      numbers.set(`${as} ${tensor.dims.join("×")}`, await tensor.readFloat32());
    const expected: Readonly<Record<string, number>> = {
      "weight 64×32×3×3": 2 / (32 * 9),
      "weight 64×96": 2 / (64 + 96),
      "weight 50×96": 2 / (96 + 50),
      "weight 500×16": 1 / 16,
      "weight 50×8×12": 2 / (50 + 8 * 12),
      "weight 8×12×40": 2 / (8 * 12 + 40),
      "weight 8×12×60": 2 / (12 + 60),
    };
    for (const [name, variance] of Object.entries(expected)) {
      const ratio = varianceOf(numbers.get(name) ?? new Float32Array()) / variance;
      expect(ratio, name).toBeGreaterThan(0.9);
      expect(ratio, name).toBeLessThan(1.1);
    }
    const all = (name: string, value: number): void =>
      expect(
        [...(numbers.get(name) ?? [])].every((one) => one === value),
        name,
      ).toBe(true);
    all("bias 96", 0);
    all("scale 64", 1);
    all("scale 64×1×1", 0.25);
    all("mean 64", 0);
    all("variance 64", 1);
    const other = learnedConstants(again);
    for (const [index, { tensor }] of learnedConstants(graph).entries())
      expect(await tensor.read()).toEqual(await other[index]?.tensor.read());
  });
});
