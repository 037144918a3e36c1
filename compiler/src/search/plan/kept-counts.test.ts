import { expect, it } from "vitest";
import { type Cache, memoryCache } from "../../pipeline/services.js";
import { earlierCounts, keepCounts } from "./kept-counts.js";
import { optimize } from "../optimize.js";
import type { PlanSummary } from "../request.js";
import type { OptimizeRequest } from "../request.js";
import { device, requestFor } from "../search-request.test.support.js";
import { simulatedMeasure } from "../simulated-measure.test.support.js";

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
  const more = new Map([["cpu", { validation: 120, test: 600, tested: 900, spentMs: 5 }]] as const);
  await keepCounts(request, more);
  expect(await earlierCounts(request)).toEqual(more);
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
  const wrong = [{}, { validation: 1 }, { validation: -1, test: 2 }, { validation: 1.5, test: 2 }];
  const more = [{ validation: 1e10, test: 1 }, { validation: "1", test: 2 }, [1, 2], null, 7];
  for (const text of ["", "{", "x", ...[...wrong, ...more].map((one) => JSON.stringify(one))]) {
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

it("keeps how long it took where it is interrupted, until the test samples are looked at", async () => {
  const cache = memoryCache();
  const controller = new AbortController();
  const { signal } = controller;
  const clock = { now: () => 7000 };
  const onProgress = ({ what }: { readonly what: string }): void => {
    if (what.endsWith("timing it")) controller.abort();
  };
  const interrupted = await requestWith(cache, { signal, clock, onProgress });
  await expect(optimize(interrupted)).rejects.toThrow(/cancelled/);
  const spent = (await earlierCounts(interrupted)).get("cpu");
  expect(spent).toMatchObject({ spentMs: 7000 });
  await optimize(await requestWith(cache));
  const after = (await earlierCounts(interrupted)).get("cpu");
  expect(after?.tested).toBeGreaterThan(0);
  expect(after?.spentMs).toBeUndefined();
});
