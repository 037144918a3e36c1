import { describe, expect, it } from "vitest";
import { createScorer } from "../metrics/scorer.js";
import { groupUnits, percentileInterval, resamples } from "../statistics/bootstrap.js";
import { mean } from "../statistics/quantile.js";
import { accuracyOf, bootstraps, type Scored } from "./accuracy.js";

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

const onCpu = { measuredOn: "cpu", seed: 0 } as const;

it("is the metric, and what a candidate lost of it", async () => {
  expect(await accuracyOf(scorer, scored(1, 2), scored(2, 2), onCpu)).toMatchObject({
    value: 1.5,
    drop: 0.5,
    n: 2,
    flips: null,
    noFlips: expect.stringMatching(/measured quantities/),
  });
});

it("is refused where the metric is no number: of the float model for its data, of a candidate for its outputs", async () => {
  await expect(accuracyOf(scorer, scored(1, Number.NaN), null, onCpu)).rejects.toMatchObject({
    code: "LABELS",
  });
  await expect(
    accuracyOf(scorer, scored(1, Number.NaN), scored(1, 1), onCpu),
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
  await expect(accuracyOf(auc, damaged, null, onCpu)).rejects.toMatchObject({ code: "LABELS" });
  await expect(accuracyOf(auc, damaged, scores(0, 1, 0, 1), onCpu)).rejects.toMatchObject({
    code: "ENGINE",
  });
});

describe("the interval of a drop", () => {
  const zeroOrOne = createScorer("score", true, { score: async () => 0 });
  const top1 = createScorer("top1", true);
  const rows = (values: readonly number[], groups: readonly string[] = []): Scored => ({
    ...scored(...values),
    kept: values.map((value) => ({ answer: { key: String(value), shown: "" }, row: [value, 1] })),
    groups: values.map((_, index) => groups[index] ?? null),
  });
  const first = (count: number, ...values: number[]): number[] =>
    Array.from({ length: count }, (_, index) => values[index] ?? 1);
  const speakers = (count: number, of: number): string[] =>
    Array.from({ length: count }, (_, index) => `speaker ${index % of}`);
  const dropOf = async (
    scorer: typeof top1,
    [candidate, float, groups]: readonly [number[], number[], string[]?],
    confidence?: number,
  ) =>
    (
      await accuracyOf(scorer, rows(candidate, groups), rows(float, groups), {
        ...onCpu,
        confidence,
      })
    ).dropInterval;

  it("allows for losses that did not show, where none of a few samples differs", async () => {
    const right = first(16, 0, 0);
    const ofScores = await dropOf(zeroOrOne, [right, right], 0.9995);
    expect(ofScores?.[1]).toBeGreaterThan(0.3);
    const alone = Array.from({ length: 16 }, (_, index) => `speaker ${index}`);
    const ofSpeakers = await dropOf(top1, [right, right, alone], 0.9995);
    expect(ofSpeakers).toEqual(await dropOf(top1, [right, right], 0.9995));
    expect(ofSpeakers?.[1]).toBeGreaterThan(0.1);
    const ofGroups = await dropOf(top1, [first(48), first(48), speakers(48, 16)], 0.9995);
    expect(ofGroups?.[1]).toBeGreaterThan(0.3);
  });

  it("allows for losses where only gains showed", async () => {
    const interval = await dropOf(zeroOrOne, [first(50), first(50, 0)], 0.998);
    expect(interval?.[1]).toBeGreaterThan(0.05);
  });

  it("is none of a single group, or of a few, whose samples go together", async () => {
    const some = [first(40, 0, 0, 0, 0), first(40)] as const;
    expect(await dropOf(top1, [...some, speakers(40, 1)])).toBeNull();
    expect(await dropOf(top1, [...some, speakers(40, 5)])).toBeNull();
    expect(await dropOf(top1, [...some, speakers(40, 8)])).not.toBeNull();
    expect(await dropOf(top1, [...some, speakers(40, 8)], 0.9995)).toBeNull();
  });

  it("is none where nothing differs, and nothing says how far a sample might", async () => {
    expect(await dropOf(zeroOrOne, [first(40), first(40)])).toBeNull();
    const cer = createScorer("cer", true);
    const read = Array.from({ length: 40 }, () => 0);
    expect(await dropOf(cer, [read, read])).toBeNull();
    expect(
      await dropOf(cer, [
        [1, 2, 3, ...read],
        [0, 0, 0, ...read],
      ]),
    ).not.toBeNull();
  });

  it("is the bootstrap's where many samples differ", async () => {
    const float = Array.from({ length: 300 }, (_, index) => Math.sin(index));
    const candidate = float.map((value, index) => value - 0.1 - 0.2 * Math.cos(7 * index));
    const units = groupUnits(float.map(() => null));
    const means = resamples(units, bootstraps.published, 0).map(
      (pick) =>
        mean(Array.from(pick, (at) => float[at] ?? 0)) -
        mean(Array.from(pick, (at) => candidate[at] ?? 0)),
    );
    const [low, high] = percentileInterval(means, 0.95);
    const interval = await dropOf(zeroOrOne, [candidate, float]);
    expect(interval).toEqual([expect.closeTo(low, 10), expect.closeTo(high, 10)]);
  });
});
