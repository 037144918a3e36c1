import { describe, expect, it } from "vitest";
import { attribute, type Graph } from "../ir/index.js";
import { randomOf } from "../pipeline/random.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { initializeFresh } from "./initialize.js";
import { learnedConstants, trainedConstants } from "./parameters.js";

/** Every kind of weights once, each of a few thousand. */
function network(): Graph {
  return graphOf({ x: ["float32", 1, 32, 9, 9], ids: ["int64", 4] }, (input, b) => {
    const conv = b.add("Conv", [input("x"), b.weights(64, 32, 3, 3), b.weights(64)]);
    const norms = Array.from({ length: 4 }, () => b.weights(64));
    const normed = b.add("BatchNormalization", [conv, ...norms]);
    const slope = b.add("PRelu", [normed, b.weights(64, 1, 1)]);
    const mean = b.add("Flatten", [b.add("GlobalAveragePool", [slope])]);
    const product = b.add("MatMul", [mean, b.weights(64, 96)]);
    const biased = b.add("Add", [product, b.weights(96)]);
    const shifted = b.add("Add", [biased, b.floats([0.5])]);
    const rows = b.add("Gather", [b.weights(500, 16), input("ids")]);
    const transB = { transB: attribute.int(1) };
    return {
      scores: b.add("Gemm", [shifted, b.weights(50, 96), b.weights(50)], transB),
      rows,
    };
  });
}

const varianceOf = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value * value, 0) / values.length;

describe("what was learned", () => {
  it("is told by the operator table, and a shift that is no bias is none of it", () => {
    const found = learnedConstants(network()).map(
      ({ as, tensor }) => `${as} ${tensor.dims.join("×")}`,
    );
    const weights = ["weight 64×32×3×3", "weight 64×96", "weight 500×16", "weight 50×96"];
    const biases = ["bias 64", "bias 64", "bias 96", "bias 50"];
    const norms = ["scale 64", "scale 64×1×1", "mean 64", "variance 64"];
    expect(found.toSorted()).toEqual([...weights, ...biases, ...norms].toSorted());
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
