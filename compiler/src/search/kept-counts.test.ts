import { expect, it } from "vitest";
import { type Cache, memoryCache } from "../pipeline/services.js";
import { earlierCounts, keepCounts } from "./kept-counts.js";
import { optimize } from "./optimize.js";
import type { PlanSummary } from "./schedule.js";
import type { OptimizeRequest } from "./request.js";
import { device, requestFor } from "./search-request.test.support.js";
import { simulatedMeasure } from "./simulated-measure.test.support.js";

const counts = new Map([["cpu", { validation: 120, test: 600 }]] as const);

async function requestWith(
  cache: Cache,
  more: Partial<OptimizeRequest> = {},
  sampleMs = 100,
): Promise<OptimizeRequest> {
  const samples = { calibration: 4, validation: 4000, test: 4000 };
  const measure = simulatedMeasure(() => ({}), samples, { sampleMs });
  return requestFor(
    { ...measure, sampleMs: async () => sampleMs },
    {
      kept: { cache, setting: "here" },
      ...more,
    },
  );
}

it("gives back what was counted, for the same search alone", async () => {
  const cache = memoryCache();
  const request = await requestWith(cache);
  expect(await earlierCounts(request)).toEqual(new Map());
  await keepCounts(request, counts);
  expect(await earlierCounts(request)).toEqual(counts);
  const tested = new Map([["cpu", { validation: 120, test: 600, tested: 900 }]] as const);
  await keepCounts(request, tested);
  expect(await earlierCounts(request)).toEqual(tested);
  const { budget } = request;
  for (const other of [
    { budget: { ...budget, timeBudgetMs: 1 } },
    { budget: { ...budget, limits: () => ({ maxDrop: 0.5 }) } },
    { devices: [device("cpu"), device("wasm")] },
    { originalSha256: "another" },
    { kept: { cache, setting: "there" } },
  ])
    expect(await earlierCounts({ ...request, ...other })).toEqual(new Map());
});

it("counts anew where what was kept is no pair of numbers", async () => {
  for (const text of ["", "1", "1 2 3 4", "-1 2", "1e3 5", "x y", "1234567890 1"]) {
    const cache: Cache = { ...memoryCache(), get: async () => new TextEncoder().encode(text) };
    expect(await earlierCounts(await requestWith(cache))).toEqual(new Map());
  }
});

it("looks at the same samples when it is a little quicker, and at more when it is much", async () => {
  const cache = memoryCache();
  const planned = async (sampleMs: number): Promise<PlanSummary["targets"][number] | undefined> => {
    let summary: PlanSummary | undefined;
    const onPlan = (plan: PlanSummary): void => void (summary = plan);
    await optimize(await requestWith(cache, { onPlan }, sampleMs));
    return summary?.targets[0];
  };
  const first = await planned(100);
  const again = await planned(70);
  const much = await planned(10);
  expect(again).toEqual(first);
  expect(much?.test).toBeGreaterThan(2 * (first?.test ?? Infinity));
});
