import type { AccuracyRequest } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { optimize } from "./optimize.js";
import { bytesOf, device, original, requestFor } from "./search-request.test.support.js";
import { type Simulated, simulatedMeasure } from "./simulated-measure.test.support.js";

/** Every accuracy that is asked for where a sample of one engine takes four times that of the other. */
async function asked(maxError: number): Promise<readonly AccuracyRequest[]> {
  const simulated = simulatedMeasure(
    (artifact) => (bytesOf(artifact) < 0.4 * bytesOf(original) ? { ratio: 0.5 } : {}),
    { calibration: 4, validation: 400, test: 400 },
    { sampleMs: 100 },
  );
  const all: AccuracyRequest[] = [];
  const measure: Simulated = {
    ...simulated,
    sampleMs: async (_, target) => (target === "wasm" ? 40 : 10),
    parity: async ({ count }) => ({ n: count, maxError, flips: 0 }),
    async accuracy(request) {
      all.push(request);
      return simulated.accuracy(request);
    },
  };
  const devices = [device("wasm"), device("cpu")];
  const clock = { now: () => simulated.spentMs };
  await optimize(await requestFor(measure, { devices, clock }));
  return all;
}

it("lets the quicker engine answer for the float model on the validation samples, and each for itself on the test samples", async () => {
  const all = await asked(1e-5);
  const ofCandidates = all.filter(({ target, float }) => target === "wasm" && float !== undefined);
  const enginesOn = (split: string): ReadonlySet<string | undefined> =>
    new Set(ofCandidates.flatMap((one) => (one.split === split ? one.floatOn : [])));
  expect(enginesOn("validation")).toEqual(new Set(["cpu"]));
  expect(enginesOn("test")).toEqual(new Set([undefined]));
  const floatRuns = all.filter(
    ({ target, float, split }) =>
      target === "wasm" && float === undefined && split === "validation",
  );
  // What a sample takes has to be found out.
  expect(Math.max(...floatRuns.map(({ count }) => count))).toBeLessThanOrEqual(32);
});

it("asks a target's own engine where the two do not say the same", async () => {
  const all = await asked(0.01);
  const ofCandidates = all.filter(
    ({ target, float, split }) =>
      target === "wasm" && float !== undefined && split === "validation",
  );
  expect(ofCandidates.length).toBeGreaterThan(0);
  expect(ofCandidates.every(({ floatOn }) => floatOn === "wasm")).toBe(true);
});
