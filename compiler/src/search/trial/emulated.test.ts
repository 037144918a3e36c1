import type { Parity } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { optimize } from "../optimize.js";
import type { Optimized, OptimizeRequest } from "../request.js";
import { device, requestFor } from "../search-request.test.support.js";
import { simulatedMeasure } from "../simulated-measure.test.support.js";

const emulated = { ...device("webgpu"), standIn: "cpu" } as const;

/** Where a sample takes so long on an emulated GPU. */
async function searched(sampleMs: number, more: Partial<OptimizeRequest>): Promise<Optimized> {
  const measure = simulatedMeasure(() => ({}), undefined, { runMs: 100 });
  let emulatedMs = 0;
  const parity = async ({ count }: { readonly count: number }): Promise<Parity> => {
    emulatedMs += count * sampleMs;
    return { n: count, maxError: 1e-6, flips: 0 };
  };
  const clock = { now: () => measure.spentMs + emulatedMs };
  const timed = {
    ...measure,
    get spentMs() {
      return measure.spentMs;
    },
    parity,
  };
  const limits = () => ({ maxDrop: 0.01 });
  const budget = { limits, prefer: "latency", timeBudgetMs: 60_000 } as const;
  return optimize(await requestFor(timed, { clock, budget, ...more }));
}

const devices = [device("cpu"), emulated];

it("leaves an emulated GPU out where it takes too much of the time for what is compared", async () => {
  const { variants, skipped } = await searched(20_000, { devices });
  expect(variants.map(({ target }) => target)).toEqual(["cpu"]);
  expect(skipped).toEqual([
    {
      target: "webgpu",
      reason:
        "The GPU is emulated here, where a sample takes 20 s: comparing 16 takes too much of 60 s.",
    },
  ]);
});

it.each([
  ["where there is time", 500, devices],
  ["where it is all there is", 20_000, [emulated]],
])("keeps it %s", async (_, sampleMs, all) => {
  const { variants } = await searched(sampleMs, { devices: all });
  expect(variants.map(({ target }) => target)).toContain("webgpu");
});
