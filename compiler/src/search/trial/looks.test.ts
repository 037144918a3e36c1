import type { AccuracyRequest } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { lookAtAccuracy } from "./looks.js";
import { device, original, requestFor } from "../search-request.test.support.js";
import { simulatedMeasure } from "../simulated-measure.test.support.js";

/** On how many samples a candidate is looked at that is faster, and of which it is open whether it holds. */
async function samplesLookedAt(afforded: number, known: number): Promise<number> {
  const samples = { calibration: 4, validation: 3200, test: 3200 };
  const measure = {
    ...simulatedMeasure(() => ({ drop: 0.009 }), samples),
    knows: async ({ count, artifact, float, split }: AccuracyRequest) =>
      count <= known && split === "validation" && artifact === original && float === original,
  };
  const context = {
    request: await requestFor(measure),
    device: device("cpu"),
    floatAnswers: { artifact: original, target: "cpu" },
    validation: 400,
    affordsMore: (more: number) => more <= afforded,
    say: () => {},
  } as const;
  const { accuracy } = await lookAtAccuracy(
    context,
    { artifact: original, target: "cpu" },
    0.5,
    async () => {},
  );
  return accuracy?.n ?? 0;
}

it("looks at more samples where they are worth their time", async () => {
  expect(await samplesLookedAt(0, 0)).toBe(400);
  expect(await samplesLookedAt(400, 0)).toBe(800);
});

it("looks again at what an earlier run looked at, whatever time there is", async () => {
  expect(await samplesLookedAt(0, 800)).toBe(800);
  expect(await samplesLookedAt(0, 1600)).toBe(1600);
});
