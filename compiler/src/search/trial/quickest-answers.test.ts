import type { AccuracyRequest, ParityRequest } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { optimize } from "../optimize.js";
import { bytesOf, device, original, requestFor } from "../search-request.test.support.js";
import { type Simulated, simulatedMeasure } from "../simulated-measure.test.support.js";

/** Every accuracy that is asked for where a sample of one engine takes four times that of the other. */
async function asked(
  errorOf: (request: ParityRequest) => number,
): Promise<readonly AccuracyRequest[]> {
  const simulated = simulatedMeasure(
    (artifact) => (bytesOf(artifact) < 0.4 * bytesOf(original) ? { ratio: 0.5 } : {}),
    { calibration: 4, validation: 400, test: 400 },
    { sampleMs: 100 },
  );
  const all: AccuracyRequest[] = [];
  const measure: Simulated = {
    ...simulated,
    sampleMs: async (_, target) => (target === "wasm" ? 40 : 10),
    parity: async (request) => ({ n: request.count, maxError: errorOf(request), flips: 0 }),
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

/** The engines that candidates and the float model beside them were asked on. */
function enginesOn(split: string, all: readonly AccuracyRequest[]): ReadonlySet<string> {
  const asked = all.filter((one) => one.split === split && one.float !== undefined);
  return new Set(asked.map(({ target, floatOn = target }) => `${target} beside ${floatOn}`));
}

it("lets the quicker engine answer on the validation samples, and each for itself on the test samples", async () => {
  const all = await asked(() => 1e-5);
  expect(enginesOn("validation", all)).toEqual(new Set(["cpu beside cpu"]));
  expect(enginesOn("test", all)).toEqual(new Set(["cpu beside cpu", "wasm beside wasm"]));
  const floatRuns = all.filter(
    ({ target, float, split }) =>
      target === "wasm" && float === undefined && split === "validation",
  );
  // What a sample takes has to be found out.
  expect(Math.max(...floatRuns.map(({ count }) => count))).toBeLessThanOrEqual(32);
});

it("asks a target's own engine of a candidate that says something else on the quicker one", async () => {
  const isFloat = ({ artifact }: ParityRequest): boolean => bytesOf(artifact) >= bytesOf(original);
  const all = await asked((request) => (isFloat(request) ? 1e-5 : 0.05));
  expect(enginesOn("validation", all)).toEqual(new Set(["cpu beside cpu", "wasm beside cpu"]));
});

it("asks a target's own engine for both where the two say something else of the float model", async () => {
  const all = await asked(() => 0.005);
  expect(enginesOn("validation", all)).toEqual(new Set(["cpu beside cpu", "wasm beside wasm"]));
});
