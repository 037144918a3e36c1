import { expect, it } from "vitest";
import type { PassStep } from "../../passes/index.js";
import { cpu } from "@pare/runtime/ort-node";
import { optimize } from "../optimize.js";
import { device, requestFor } from "../search-request.test.support.js";
import { simulatedMeasure } from "../simulated-measure.test.support.js";
import { choicesFor, learningRuns } from "./planned.js";

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

it("counts what a lock's steps learn, where a search begins as it did", async () => {
  const request = await requestFor(simulatedMeasure(() => ({})));
  const { lock } = await optimize(request);
  const [target] = lock.targets;
  if (target === undefined) throw new RangeError("There is one.");
  const groups = [{ steps: [{ use: "distill" }, { use: "quantize-weights" }], required: false }];
  const like = { ...lock, targets: [{ ...target, precision: "int8-weights" as const, groups }] };
  const examples = { executor: cpu(), count: 1000, async *read() {} };
  const recipe = { simplify: null, own: [], ending: [] };
  const { graph } = request;
  const none = { groups: [], precision: "float32", statistics: new Map(), shares: [] } as const;
  const { planned } = await choicesFor({ ...request, like, examples }, device("cpu"), recipe, {
    graph,
    ...none,
  });
  const before = planned.find(({ asBefore }) => asBefore);
  expect(before?.learningRuns).toBe(runsOf({ use: "distill" }));
});
