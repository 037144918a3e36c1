import { PareError, type TargetName } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { optimize } from "./optimize.js";
import { device, requestFor } from "./search-request.test.support.js";
import { simulatedMeasure } from "./simulated-measure.test.support.js";

it("waits for a model that hangs until the time is up once, not once on each target", async () => {
  let nowMs = 0;
  const waited: [TargetName, number][] = [];
  const measure = {
    ...simulatedMeasure(() => ({})),
    tryOut: async ({ target, limitMs = Number.POSITIVE_INFINITY }): Promise<never> => {
      nowMs += limitMs;
      waited.push([target, limitMs]);
      throw new PareError("ENGINE_CRASHED", "It did not answer.");
    },
  } satisfies Partial<ReturnType<typeof simulatedMeasure>>;
  const request = await requestFor(
    simulatedMeasure(() => ({})),
    {
      measure,
      devices: [device("cpu"), device("wasm"), device("webgpu")],
      budget: { limits: () => ({ maxDrop: 0.01 }), prefer: "latency", timeBudgetMs: 6000 },
      clock: { now: () => nowMs },
    },
  );
  await expect(optimize(request)).rejects.toMatchObject({ code: "ENGINE" });
  expect(waited).toEqual([
    ["cpu", 6000],
    ["cpu", 1000],
    ["wasm", 1000],
    ["wasm", 1000],
    ["webgpu", 1000],
    ["webgpu", 1000],
  ]);
});
