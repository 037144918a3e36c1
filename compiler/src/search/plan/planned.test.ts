import { expect, it } from "vitest";
import type { PassStep } from "../../passes/index.js";
import { learningRuns } from "./planned.js";

const runsOf = (...steps: readonly PassStep[]): number =>
  learningRuns({ steps, required: false }, 1000);

it("expects steps of learning to be shorter after what cuts the model, and after nothing else", () => {
  const whole = runsOf({ use: "distill" });
  expect(whole).toBeGreaterThan(1000);
  expect(runsOf({ use: "simplify" }, { use: "distill" })).toBe(whole);
  expect(runsOf({ use: "prune", with: { keepFlops: 0.5 } }, { use: "distill" })).toBeCloseTo(
    0.6 * whole,
  );
  expect(runsOf({ use: "prune", with: { keepParams: 0.5 } }, { use: "distill" })).toBe(whole);
  expect(runsOf({ use: "distill" }, { use: "prune", with: { keepFlops: 0.5 } })).toBe(whole);
});
