import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IntegerFormat, integerRange, uint8Activations } from "./format.js";
import { observedRange, observedSqnr } from "./observed-range.js";
import { Observer } from "@pare/runtime/format";
import { forEachRun, layoutOf } from "./layout.js";
import { chooseScales, leastSquares } from "./range.js";
import { dequantize, quantize } from "./round.js";
import { type Range, type Scale, scaleOf } from "./scale.js";
import { cases } from "./slow-reference.test.support.js";

const errorOf = (values: Float32Array, back: Float32Array): number =>
  values.reduce((sum, x, i) => sum + (x - (back[i] ?? NaN)) ** 2, 0);

/** Every zero point with every scale that is tried with it, and what the range itself gives. */
function scalesOfTwoBits(range: Range, format: IntegerFormat): readonly Scale[] {
  const own = scaleOf(range, format);
  const { min, max } = integerRange(format);
  const largest = Math.max(-range.min, range.max);
  if (largest < 2 ** -122) return [own];
  const zeroPoints = format.symmetric ? [own.zeroPoint] : [min, min + 1, max - 1, max];
  const steps = Array.from({ length: 31 }, (_, at) => at + 2);
  return [
    own,
    ...zeroPoints.flatMap((zeroPoint) =>
      steps.map((step) => ({ scale: Math.fround((largest * step) / 32), zeroPoint })),
    ),
  ];
}

describe("scales of weights", () => {
  const loss = (
    values: Float32Array,
    dims: readonly number[],
    format: IntegerFormat,
    method: "minmax" | "mse",
  ): number =>
    errorOf(
      values,
      dequantize(quantize(values, dims, format, chooseScales(values, dims, format, method))),
    );

  it("lose no more by least squares than by the largest values, in any format", () => {
    fc.assert(
      fc.property(cases, ({ dims, values, format }) => {
        const least = loss(values, dims, format, "mse");
        expect(least).toBeLessThanOrEqual(loss(values, dims, format, "minmax") * 1.000001 + 1e-9);
      }),
    );
  });

  it("are those that trying every range on every group would choose", () => {
    fc.assert(
      fc.property(cases, ({ dims, values, format }) => {
        const layout = layoutOf(dims, format.granularity);
        const groupOf = new Uint32Array(values.length);
        forEachRun(layout, (start, end, first, step) => {
          for (let i = start; i < end; i += 1) groupOf[i] = first + step * (i - start);
        });
        const elements = Array.from({ length: layout.groups }, (): number[] => []);
        for (const [i, group] of groupOf.entries()) elements[group]?.push(values[i] ?? NaN);
        const { scales, zeroPoints } = chooseScales(values, dims, format, "mse");
        const steps = { 8: 12, 4: 20 }[Number(format.dtype.at(-1))];
        const own = { ...format, granularity: { kind: "tensor" } } as const;
        for (const [group, of] of elements.entries()) {
          const all = Float32Array.from(of);
          const errorOf = ({ scale, zeroPoint }: Scale): number => {
            const one = { scales: Float32Array.of(scale), zeroPoints: Int16Array.of(zeroPoint) };
            const { data } = quantize(all, [all.length], own, one);
            return of.reduce(
              (sum, x, i) => sum + (x - scale * ((data[i] ?? NaN) - zeroPoint)) ** 2,
              0,
            );
          };
          const range = { min: Math.min(0, ...of), max: Math.max(0, ...of) };
          const least =
            steps === undefined
              ? Math.min(...scalesOfTwoBits(range, format).map(errorOf))
              : errorOf(scaleOf(leastSquares(range, format, steps, errorOf), format));
          const chosen = { scale: scales[group] ?? NaN, zeroPoint: zeroPoints[group] ?? NaN };
          expect(errorOf(chosen)).toBeLessThanOrEqual(least * (1 + 1e-9));
        }
      }),
    );
  });

  it("clip the tails of a distribution, the more the fewer bits there are", () => {
    const values = Float32Array.from({ length: 4000 }, (_, i) => {
      const p = (i + 0.5) / 4000;
      return Math.log(p / (1 - p));
    });
    const narrowed = (dtype: IntegerFormat["dtype"]): number => {
      const format = { dtype, symmetric: true, granularity: { kind: "tensor" } } as const;
      const [least = NaN] = chooseScales(values, [4000], format, "mse").scales;
      const [all = NaN] = chooseScales(values, [4000], format, "minmax").scales;
      return least / all;
    };
    expect(narrowed("int8")).toBeLessThanOrEqual(1);
    expect(narrowed("int4")).toBeLessThan(narrowed("int8"));
    expect(narrowed("int2")).toBeLessThan(narrowed("int4"));
  });

  it("move each end by itself where the format is not symmetric", () => {
    const values = Float32Array.from(
      { length: 1000 },
      (_, i) => Math.abs(Math.sin(i)) - (i === 3 ? 4 : 0),
    );
    const format = { dtype: "uint4", symmetric: false, granularity: { kind: "tensor" } } as const;
    const { scales, zeroPoints } = chooseScales(values, [1000], format, "mse");
    const high = (15 - (zeroPoints[0] ?? NaN)) * (scales[0] ?? NaN);
    expect(high).toBeGreaterThan(0.8);
    expect((zeroPoints[0] ?? NaN) * (scales[0] ?? NaN)).toBeLessThan(3.1);
  });

  it("of zeros are 1", () => {
    const format = {
      dtype: "int4",
      symmetric: true,
      granularity: { kind: "channel", axis: 0 },
    } as const;
    expect(chooseScales(new Float32Array(4), [2, 2], format, "mse").scales).toEqual(
      Float32Array.of(1, 1),
    );
  });

  it("never let a pair of uint8 × int8 products saturate where the range is reduced", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: 2, maxLength: 20 }),
        fc.constantFrom("minmax" as const, "mse" as const),
        (pool, method) => {
          const values = Float32Array.from(pool);
          const dims = [values.length];
          const format: IntegerFormat = {
            dtype: "int8",
            symmetric: true,
            granularity: { kind: "tensor" },
            reduceRange: true,
          };
          const { data } = quantize(
            values,
            dims,
            format,
            chooseScales(values, dims, format, method),
          );
          for (let i = 0; i + 1 < data.length; i += 1)
            expect(Math.abs(255 * (data[i] ?? 0) + 255 * (data[i + 1] ?? 0))).toBeLessThanOrEqual(
              32767,
            );
        },
      ),
    );
  });
});

describe("scales of what was observed", () => {
  const loss = (values: readonly number[], range: Range): number => {
    const { scale, zeroPoint } = scaleOf(range, uint8Activations);
    const floats = Float32Array.from(values);
    const scales = { scales: Float32Array.of(scale), zeroPoints: Int16Array.of(zeroPoint) };
    const made = quantize(floats, [floats.length], uint8Activations, scales);
    return errorOf(floats, dequantize(made));
  };
  const observed = (values: readonly number[]): Observer => {
    const observer = new Observer();
    observer.observe(values);
    return observer;
  };

  it("clip an outlier where that loses less", () => {
    const values = Array.from({ length: 400_000 }, (_, i) =>
      Math.fround(Math.sin(i) + (i === 0 ? 3 : 0)),
    );
    const observer = observed(values);
    const [least, all] = (["mse", "minmax"] as const).map((method) =>
      observedRange(observer, method, uint8Activations),
    );
    if (least === undefined || all === undefined) throw new Error("no range");
    expect(least.max).toBeLessThan(2.9);
    expect(least.min).toBeGreaterThanOrEqual(-1);
    expect(loss(values, least)).toBeLessThan(loss(values, all));
    const sqnr = 10 * Math.log10(values.reduce((sum, x) => sum + x * x, 0) / loss(values, least));
    expect(observedSqnr(observer, least, uint8Activations)).toBeCloseTo(sqnr, 0);
  });

  it("have a number for what lost nothing, and for what is 0 throughout", () => {
    const range = { min: 0, max: 255 };
    for (const values of [
      [0, 0],
      [0, 3, 255],
    ]) {
      const sqnr = observedSqnr(observed(values), range, uint8Activations);
      expect(Number.isFinite(sqnr)).toBe(true);
    }
    expect(observedSqnr(observed([0, 0]), range, uint8Activations)).toBe(300);
  });

  it("never lose notably more than all that was seen", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: 2, maxLength: 200 }),
        (values) => {
          const observer = observed(values);
          const all = observedRange(observer, "minmax", uint8Activations);
          const mse = loss(values, observedRange(observer, "mse", uint8Activations));
          const { scale } = scaleOf(all, uint8Activations);
          expect(mse).toBeLessThanOrEqual(
            loss(values, all) * 1.3 + values.length * scale ** 2 * 0.1,
          );
        },
      ),
    );
  });
});

describe("ranges of activations by percentile", () => {
  const observed = (values: ArrayLike<number>): Range => {
    const observer = new Observer();
    observer.observe(values);
    return observedRange(observer, "percentile", uint8Activations);
  };

  it("leave out a two-hundred-thousandth at each end, and no more than a bin besides", () => {
    const count = 400_000;
    const values = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
    const far = [-90, -80, -70, 60, 50, 40];
    far.forEach((x, i) => (values[i * 1000] = x));
    const bin = 2 ** -3;
    const { min, max } = observed(values);
    // Two of 400,000 may go: the third from the outside stays, in its bin.
    expect(min).toBeGreaterThan(-70 - bin);
    expect(min).toBeLessThanOrEqual(-70);
    expect(max).toBeGreaterThanOrEqual(40);
    expect(max).toBeLessThanOrEqual(40 + bin);
  });

  it("are all that was seen where nothing is so rare, and end at zero where zeros are most", () => {
    expect(observed([-1.5, 0, 2.25])).toEqual({ min: -1.5, max: 2.25 });
    const values = new Float32Array(1_000_000);
    values[17] = 3;
    expect(observed(values)).toEqual({ min: 0, max: 0 });
  });
});
