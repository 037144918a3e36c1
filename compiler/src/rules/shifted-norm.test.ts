import { describe, expect, it } from "vitest";
import type { Graph, ValueId } from "../ir/index.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";
import { recoverLayerNorm } from "./layer-norm.js";
import { recoverShiftedNorm } from "./shifted-norm.js";

interface Parts {
  readonly mean: (x: ValueId) => ValueId;
  readonly gamma: ValueId | undefined;
  /** Of x, its mean and the scale. */
  readonly shifted: (x: ValueId, mu: ValueId, s: ValueId) => ValueId;
}

/** A normalization of [N, 3, 5] as Keras writes it, of parts. */
function norm(parts: (b: Builder) => Partial<Parts>): Graph {
  return graphOf({ x: ["float32", "N", 3, 5] }, (input, b) => {
    const x = b.add("Relu", [input("x")]);
    const {
      mean = (of) => b.add("GlobalAveragePool", [of]),
      gamma,
      shifted = (of, mu, s) => {
        const shift = b.add("Add", [b.add("Mul", [b.add("Neg", [mu]), s]), b.weights(1, 1, 5)]);
        return b.add("Add", [b.add("Mul", [of, s]), shift]);
      },
    } = parts(b);
    const mu = mean(x);
    const d = b.add("Sub", [x, mu]);
    const variance = b.add("Add", [mean(b.add("Mul", [d, d])), b.floats([1e-3])]);
    const inverse = b.add("Reciprocal", [b.add("Sqrt", [variance])]);
    const s = gamma === undefined ? inverse : b.add("Mul", [inverse, gamma]);
    return { y: b.add("Abs", [shifted(x, mu, s)]) };
  });
}

const found = ["Relu", "LayerNormalization", "Abs"];

it("writes no scale of ones down that would be large", async () => {
  const graph = graphOf({ x: ["float32", 2, 512, 512] }, (input, b) => {
    const axes = b.ints([1, 2]);
    const mean = (of: ValueId): ValueId => b.add("ReduceMean", [of, axes]);
    const d = b.add("Sub", [input("x"), mean(input("x"))]);
    const variance = b.add("Add", [mean(b.add("Mul", [d, d])), b.floats([1e-3])]);
    return { y: b.add("Div", [d, b.add("Sqrt", [variance])]) };
  });
  const { ops, misses } = await apply(recoverLayerNorm, graph);
  expect(ops).not.toContain("LayerNormalization");
  expect(misses).toEqual([expect.stringContaining("no scale of the size")]);
});

describe("a normalization that is taken apart is one operator", () => {
  it.each<[string, (b: Builder) => Partial<Parts>]>([
    ["with γ and β", (b) => ({ gamma: b.weights(1, 1, 5) })],
    ["without γ", () => ({})],
    [
      "without β, its mean taken off",
      (b) => ({
        gamma: b.weights(5),
        shifted: (x, mu, s) => b.add("Sub", [b.add("Mul", [s, x]), b.add("Mul", [mu, s])]),
      }),
    ],
    [
      "β less what is taken off",
      (b) => ({
        mean: (x) => b.add("ReduceMean", [x, b.ints([-1])]),
        shifted: (x, mu, s) => {
          const shift = b.add("Sub", [b.weights(5), b.add("Mul", [s, mu])]);
          return b.add("Add", [shift, b.add("Mul", [x, s])]);
        },
      }),
    ],
    [
      "with what is negated as a whole",
      (b) => ({
        shifted: (x, mu, s) =>
          b.add("Add", [b.add("Mul", [x, s]), b.add("Neg", [b.add("Mul", [mu, s])])]),
      }),
    ],
  ])("%s", async (_, parts) => {
    expect((await apply(recoverShiftedNorm, norm(parts))).ops).toEqual(found);
  });
});

describe("it is none", () => {
  it.each<[string, (b: Builder) => Partial<Parts>]>([
    ["with a γ that has more axes", (b) => ({ gamma: b.weights(1, 1, 1, 5) })],
    ["with a γ for each row", (b) => ({ gamma: b.weights(1, 3, 1) })],
    ["of another axis", (b) => ({ mean: (x) => b.add("ReduceMean", [x, b.ints([1])]) })],
    [
      "where another scale is taken off with the mean",
      (b) => ({
        shifted: (x, mu, s) =>
          b.add("Sub", [b.add("Mul", [x, s]), b.add("Mul", [mu, b.add("Abs", [s])])]),
      }),
    ],
    [
      "where the mean is of something else",
      (b) => ({
        shifted: (x, mu, s) =>
          b.add("Sub", [b.add("Mul", [b.add("Exp", [x]), s]), b.add("Mul", [mu, s])]),
      }),
    ],
  ])("%s", async (_, parts) => {
    expect((await apply(recoverShiftedNorm, norm(parts))).ops).not.toContain("LayerNormalization");
  });
});
