import { expect, it } from "vitest";
import type { ValueId } from "../ir/index.js";
import type { Objective } from "./objectives.js";
import { weighBySpread } from "./spread.js";

const samples = 4;

function objective(loss: Objective["loss"], value: ValueId): Objective {
  return { loss, weight: 1, value, dims: [2], axis: 0, target: { from: "teacher", value } };
}

function weights(all: readonly (readonly [Objective["loss"], readonly number[]])[]) {
  const given = all.map(([loss, answer], at) => {
    // A name of a value: what it is of does not matter here.
    const value = at as ValueId;
    return [objective(loss, value), Float32Array.from(answer)] as const;
  });
  const own = given.map(([one]) => one);
  return weighBySpread(own, new Map(given), samples).map(({ weight }) => weight);
}

const mse = { kind: "mse" } as const;
const shares = { kind: "binary-cross-entropy", targets: "probabilities" } as const;
const scores = { kind: "binary-cross-entropy", targets: "scores" } as const;

it("weighs by what the best answer that is the same for all samples would lose, in powers of two", () => {
  // Two places of four samples: 16 times the variance, a sixteenth of the weight.
  const small = [0, 5, 1, 6, 0, 5, 1, 6];
  const [one, other] = weights([
    [mse, small],
    [mse, small.map((value) => 4 * value)],
  ]);
  expect(one).toBe(4);
  expect(other).toBe(1 / 4);
});

it("looks at shares by their information, and at scores as the shares that they are", () => {
  const half = [0.01, 0.99, 0.99, 0.01, 0.01, 0.99, 0.99, 0.01];
  const asScores = half.map((share) => Math.log(share / (1 - share)));
  const [one, same, nearlyOne] = weights([
    [shares, half],
    [scores, asScores],
    [shares, half.map((share) => 0.01 * share)],
  ]);
  expect(one).toBe(1);
  expect(same).toBe(one);
  expect(nearlyOne).toBeGreaterThan(64);
});

it("holds what does not vary to be nearly what it was, and leaves what has no scale", () => {
  const [constant, zeros, cosine] = weights([
    [mse, [3, 1, 3, 1, 3, 1, 3, 1]],
    [mse, [0, 0, 0, 0, 0, 0, 0, 0]],
    [{ kind: "cosine" }, [3, 1, 3, 1, 9, 1, 3, 1]],
  ]);
  expect(constant).toBeGreaterThan(2 ** 16);
  expect(constant).toBeLessThan(2 ** 20);
  expect(zeros).toBe(1);
  expect(cosine).toBe(1);
});
