import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lanesOf, Observer } from "./observer.js";

const values = fc.array(
  fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
    fc.constant(0),
    fc.float({ noNaN: true, min: -1, max: 1 }),
  ),
  { minLength: 1, maxLength: 60 },
);

function seen(observer: Observer) {
  const { width, first, counts, zeros } = observer.histogram;
  const bins = new Map<number, number>();
  counts.forEach((n, i) => n > 0 && bins.set(first + i, n));
  return { width, zeros, count: observer.count, bins, range: observer.range };
}

/** The same from all values at once, in the obvious way. */
function reference(all: readonly number[], limit: number) {
  const range = { min: Math.min(...all) + 0, max: Math.max(...all) + 0 };
  let width = 2 ** -1000;
  const bin = (x: number): number => Math.floor(x / width);
  if (range.min !== 0 || range.max !== 0)
    while (!(bin(Math.max(range.max, 0)) - bin(Math.min(range.min, 0)) < limit)) width *= 2;
  const bins = new Map<number, number>();
  for (const x of all) if (x !== 0) bins.set(bin(x), (bins.get(bin(x)) ?? 0) + 1);
  return { width, zeros: all.filter((x) => x === 0).length, count: all.length, bins, range };
}

describe("Observer", () => {
  it("depends neither on order nor on batches nor on merging", () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (batches) => {
        const all = batches.flat();
        if (all.every((x) => x === 0)) return;
        const parts = new Observer(16);
        for (const batch of [...batches].reverse()) parts.observe(batch);
        const merged = new Observer(16);
        for (const batch of batches) {
          const one = new Observer(16);
          one.observe(batch);
          merged.merge(one.observation);
        }
        const expected = reference(all, 16);
        expect(seen(parts)).toEqual(expected);
        expect(seen(merged)).toEqual(expected);
      }),
    );
  });

  it("counts many at once as it counts a few, in lanes that others use too", () => {
    const numbers = fc.array(fc.float({ noNaN: true, min: -9, max: 9 }), { minLength: 1 });
    const lanes = lanesOf(2048);
    fc.assert(
      fc.property(numbers, fc.integer({ min: 8192, max: 8200 }), (some, length) => {
        const all = Float32Array.from({ length }, (_, i) => (some[i % some.length] ?? 0) * (i % 3));
        const [atOnce, other, few] = [0, 0, 0].map(() => new Observer(2048, lanes));
        atOnce?.observe(all);
        other?.observe(all.map((x) => x + 1));
        atOnce?.observe(all);
        for (let at = 0; at < 2 * length; at += 1000)
          few?.observe(Float32Array.from([...all, ...all].slice(at, at + 1000)));
        expect(atOnce && seen(atOnce)).toEqual(few && seen(few));
      }),
      { numRuns: 20 },
    );
  });

  it.each([0, 1, 5, 8, 9000, 9003])("finds the one of many that is not finite, at %i", (at) => {
    for (const fault of [NaN, Infinity, -Infinity]) {
      const observer = new Observer();
      const values = new Float32Array(9004).fill(1);
      values[at] = fault;
      observer.observe(values);
      expect(observer).toMatchObject({ count: 9003, notFinite: 1, range: { min: 1, max: 1 } });
    }
  });

  it("leaves out what is not finite, and says how many", () => {
    const observer = new Observer();
    observer.observe([1, NaN, -Infinity, Infinity, 2]);
    expect(observer).toMatchObject({ count: 2, notFinite: 3, range: { min: 1, max: 2 } });
  });

  it("spends at least half of its bins on a range", () => {
    const observer = new Observer(2048);
    observer.observe([0.1]);
    observer.observe([-3, 5.9]);
    const { width } = observer.histogram;
    expect(8.9 / width).toBeGreaterThan(1023);
    expect(8.9 / width).toBeLessThanOrEqual(2048);
  });
});
