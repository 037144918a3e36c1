import type { StoredSample, Tensors } from "@pare/runtime/format";
import fc from "fast-check";
import { expect, it } from "vitest";
import { chooseMetric } from "./metrics.js";
import { createScorer } from "./scorer.js";

const sample: StoredSample = { id: "s", label: null, group: null, feeds: {} };
const floats = (...values: readonly number[]) =>
  ({ type: "float32", dims: [1, values.length], data: Float32Array.from(values) }) as const;
const longs = (...values: readonly number[]) =>
  ({ type: "int64", dims: [values.length], data: BigInt64Array.from(values, BigInt) }) as const;

async function between(
  float: readonly Tensors[],
  candidate: readonly Tensors[],
): Promise<{ readonly value: number; readonly flips: number }> {
  const scorer = createScorer("concordance", false);
  const keep = (outputs: readonly Tensors[]) =>
    Promise.all(outputs.map((one, at) => scorer.keep(one, sample, float[at] ?? null)));
  const [before, now] = [await keep(float), await keep(candidate)];
  const [value = Number.NaN] = await scorer.reduce(now, [now.map((_, at) => at)]);
  const flips = await scorer.flips(now, before);
  return { value, flips: "none" in flips ? 0 : flips.length };
}

const noise = (seed: number) => Math.sin(seed * 12.9898) * 0.5;
const numbers = Array.from({ length: 100 }, (_, at) => 5 + noise(at));

it("is what is chosen without labels where no class is all that is measured", () => {
  expect(chooseMetric({ y: floats(3) }, null)).toBe("concordance");
  expect(chooseMetric({ y: floats(3, 4), z: floats(1) }, null)).toBe("concordance");
  expect(chooseMetric({ ids: longs(1) }, null)).toBe("concordance");
  expect(chooseMetric({ y: floats(3, 4), ids: longs(1) }, null)).toBe("top1-agreement");
});

it("sees a constant in place of one number, whose cosine is 1 whatever it is", async () => {
  const float = numbers.map((value) => ({ y: floats(value) }));
  expect((await between(float, float)).value).toBe(1);
  expect(
    (
      await between(
        float,
        float.map(() => ({ y: floats(5) })),
      )
    ).value,
  ).toBeLessThan(0.5);
  const near = numbers.map((value, at) => ({ y: floats(value + 0.01 * noise(at + 7)) }));
  expect((await between(float, near)).value).toBeGreaterThan(0.995);
});

it("sees what an output with larger numbers would hide", async () => {
  const of = (score: (at: number) => number) =>
    numbers.map((value, at) => ({ boxes: floats(100 * value, 300), scores: floats(score(at)) }));
  const float = of((at) => 0.5 + noise(at));
  expect(
    (
      await between(
        float,
        of(() => 0),
      )
    ).value,
  ).toBeLessThan(0.1);
  expect((await between(float, float)).value).toBe(1);
});

it("holds what hardly varies to be nearly what it was, and not to its last bits", async () => {
  const float = numbers.map(() => ({ y: floats(1) }));
  const off = (by: number) => numbers.map((_, at) => ({ y: floats(1 + by * noise(at)) }));
  expect((await between(float, off(1e-4))).value).toBeGreaterThan(0.999);
  expect((await between(float, off(0.1))).value).toBeLessThan(0.8);
});

it("counts what is another class, place or text as flipped, and goes by that alone where no number is measured", async () => {
  const of = (...ids: readonly number[]) => ids.map((id) => ({ y: floats(0.5, id), ids: longs(id, 3) })); // prettier-ignore
  expect(await between(of(1, 2, 3), of(1, 2, 3))).toEqual({ value: 1, flips: 0 });
  expect((await between(of(1, 2, 3), of(1, 2, 4))).flips).toBe(1);
  const ids = (...all: readonly number[]) => all.map((id) => ({ ids: longs(id, 3) }));
  expect(await between(ids(1, 2, 3, 4), ids(1, 2, 3, 5))).toEqual({ value: 7 / 8, flips: 1 });
});

it("holds what only one found against nothing, and masks alike for equal", async () => {
  const found = numbers.map((value) => ({ boxes: floats(value, 1, 2) }));
  const fewer = numbers.map((value) => ({ boxes: floats(value, 1) }));
  expect((await between(found, fewer)).value).toBeLessThan(0.95);
  const masked = numbers.map((value) => ({ y: floats(value, -Infinity) }));
  expect((await between(masked, masked)).value).toBe(1);
});

it("takes no class for a label of several numbers", async () => {
  const scorer = createScorer("concordance", true);
  const labelled = { ...sample, label: 1 };
  await expect(scorer.keep({ y: floats(0.1, 0.7, 0.2) }, labelled, null)).rejects.toMatchObject({
    code: "LABELS",
  });
  await scorer.keep({ y: floats(0.7) }, labelled, null);
});

it("is of any samples together what their sums say, by its definition", async () => {
  const pairs = fc.array(fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.double({ min: -5, max: 5, noNaN: true })), { minLength: 2 }); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(pairs, async (all) => {
      const [a, b] = [0, 1].map((side) => all.map((pair) => Math.fround(pair[side] ?? 0)));
      const { value } = await between(
        (b ?? []).map((one) => ({ y: floats(one) })),
        (a ?? []).map((one) => ({ y: floats(one) })),
      );
      const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / all.length; // prettier-ignore
      const [one, other] = [a ?? [], b ?? []];
      const [meanA, meanB] = [mean(one), mean(other)];
      const apart = mean(one.map((x, at) => (x - (other[at] ?? 0)) ** 2));
      const spread = mean(one.map((x) => (x - meanA) ** 2)) + mean(other.map((x) => (x - meanB) ** 2)); // prettier-ignore
      const size = mean(one.map((x) => x * x)) + mean(other.map((x) => x * x));
      const whole = spread + (meanA - meanB) ** 2 + 1e-3 * size;
      expect(value).toBeCloseTo(apart === 0 ? 1 : 1 - apart / whole, 6);
    }),
    { numRuns: 50 },
  );
});

it("counts no flips of maps of classes, of which a place differs on every sample", async () => {
  const map = (other: number, size: number) => {
    const classes = Array.from({ length: size }, (_, at) => (at === 5 ? other : at % 3));
    return { y: floats(...classes), map: longs(...classes) };
  };
  expect((await between([map(1, 8)], [map(2, 8)])).flips).toBe(1);
  expect((await between([map(1, 4096)], [map(2, 4096)])).flips).toBe(0);
});
