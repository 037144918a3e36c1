import { expect, it } from "vitest";
import { createScorer } from "../metrics/scorer.js";
import { accuracyOf, type Scored } from "./accuracy.js";

/** The mean of what was kept, as a data module's own metric. */
const scorer = createScorer("mean", true, {
  metric: {
    name: "mean",
    direction: "higher",
    reduce: async (predictions, _, picks) =>
      picks.map((positions) => {
        let sum = 0;
        for (let index = 0; index < positions.length; index++)
          sum += Number(predictions[positions[index] ?? 0]);
        return sum / positions.length;
      }),
  },
});

function scored(...values: number[]): Scored {
  return {
    kept: values.map((prediction) => ({
      answer: { key: null, shown: "" },
      prediction,
      label: null,
      row: [],
    })),
    ids: values.map((_, index) => String(index)),
    groups: values.map(() => null),
    draws: new Map(),
  };
}

it("is the metric, and what a candidate lost of it", async () => {
  expect(await accuracyOf(scorer, scored(1, 2), scored(2, 2), "cpu", 0)).toMatchObject({
    value: 1.5,
    drop: 0.5,
    n: 2,
    flips: null,
    noFlips: expect.stringMatching(/measured quantities/),
  });
});

it("is refused where the metric is no number: of the float model for its data, of a candidate for its outputs", async () => {
  await expect(accuracyOf(scorer, scored(1, Number.NaN), null, "cpu", 0)).rejects.toMatchObject({
    code: "LABELS",
  });
  await expect(
    accuracyOf(scorer, scored(1, Number.NaN), scored(1, 1), "cpu", 0),
  ).rejects.toMatchObject({ code: "ENGINE" });
});

it("is refused where a score is NaN, which a sum would show and a rank hides", async () => {
  const auc = createScorer("auc", true);
  const scores = (...values: number[]): Scored => ({
    ...scored(...values),
    kept: values.map((value, index) => ({
      answer: { key: null, shown: "" },
      row: [value, index % 2],
    })),
  });
  const damaged = scores(0, 1, Number.NaN, 1);
  await expect(accuracyOf(auc, damaged, null, "cpu", 0)).rejects.toMatchObject({ code: "LABELS" });
  await expect(accuracyOf(auc, damaged, scores(0, 1, 0, 1), "cpu", 0)).rejects.toMatchObject({
    code: "ENGINE",
  });
});
