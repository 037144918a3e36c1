import { onnxArtifact } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { memoryCache } from "../../pipeline/services.js";
import { sampleCost } from "./sample-cost.js";
import { device, requestFor } from "../search-request.test.support.js";
import { simulatedMeasure } from "../simulated-measure.test.support.js";

it("plans alike when it goes on, as long as the answers are known", async () => {
  const samples = { calibration: 4, validation: 400, test: 400 };
  const simulated = simulatedMeasure(() => ({}), samples, { sampleMs: 10 });
  const artifact = onnxArtifact(new Uint8Array([1]));
  const cache = memoryCache();
  const costWith = (sampleMs: number, known: number) =>
    requestFor(
      {
        ...simulated,
        sampleMs: async () => sampleMs,
        knows: async ({ count }) => count <= known,
      },
      { kept: { cache, setting: "here" }, clock: { now: () => simulated.spentMs } },
    ).then((request) => sampleCost(request, device("cpu"), artifact, 1, 1000));

  const first = await costWith(10, 0);
  expect(first.asked).toBeGreaterThan(2);
  const asked = simulated.asked.length;
  expect(await costWith(50, first.asked)).toEqual(first);
  expect(simulated.asked).toHaveLength(asked);
  expect((await costWith(50, first.asked - 1)).sampleMs).toBeGreaterThan(first.sampleMs);
});
