import { dtypeBits } from "@pare/runtime/format";
import { type IntegerFormat, type IntegerRange, integerRange } from "./format.js";
import { nearestInteger } from "./half-even.js";
import { forEachRun, type Layout, layoutOf } from "./layout.js";
import { type Ranges, type Scales, scalesFor } from "./scale.js";

/** "minmax": all that occurs. "mse": what loses least in the mean square. */
export type RangeMethod = "minmax" | "mse";

/** Scales and zero points of a tensor's groups, by its own values. */
export function chooseScales(
  values: Float32Array,
  dims: readonly number[],
  format: IntegerFormat,
  method: RangeMethod,
): Scales {
  const layout = layoutOf(dims, format.granularity);
  const all = rangesOf(values, layout);
  const steps = narrowings[dtypeBits[format.dtype]] ?? 1;
  const ranges =
    method === "minmax"
      ? all
      : leastSquares(all, format, steps, (tried, least) => {
          const errors = hopeless(all, format, tried, least);
          if (errors.includes(0)) addSquaredErrors(errors, values, layout, format, tried);
          return errors;
        });
  return scalesFor(ranges, format);
}

/** In steps of a thirty-second: with fewer integers it pays to clip more. */
const narrowings: Readonly<Record<number, number>> = { 8: 12, 4: 20, 2: 26 };

/** For every group the smallest and the largest value, both widened to contain zero; NaN is left out. */
function rangesOf(values: Float32Array, layout: Layout): Ranges {
  const min = new Float64Array(layout.groups);
  const max = new Float64Array(layout.groups);
  forEachRun(layout, (start, end, first, step) => {
    for (let i = start, group = first; i < end; i += 1, group += step) {
      const x = values[i] as number;
      if (x < (min[group] as number)) min[group] = x;
      if (x > (max[group] as number)) max[group] = x;
    }
  });
  return { min, max };
}

/**
 * Narrows ranges as long as the squared error falls, each group by itself: first both ends together, then, where the
 * format is not symmetric, each alone. Clipping a few outliers costs less than a coarser step for all.
 * @param steps how often an end is moved, each time by a `1 / unit` of where it was
 * @param errorsOf the squared error of every group with given scales; Infinity will do where it is no less than the least
 */
export function leastSquares(
  { min, max }: Ranges,
  format: IntegerFormat,
  steps: number,
  errorsOf: (tried: Scales, least: Float64Array) => Float64Array,
  unit = 32,
): Ranges {
  const groups = min.length;
  /** What is kept of each end. */
  const low = new Float64Array(groups).fill(1);
  const high = new Float64Array(groups).fill(1);
  const narrowed = (lows: Float64Array, highs: Float64Array): Ranges => ({
    min: min.map((end, group) => end * (lows[group] as number)),
    max: max.map((end, group) => end * (highs[group] as number)),
  });
  const least = errorsOf(scalesFor({ min, max }, format), new Float64Array(groups).fill(Infinity));
  const attempt = (lows: Float64Array, highs: Float64Array): void => {
    const errors = errorsOf(scalesFor(narrowed(lows, highs), format), least);
    for (let group = 0; group < groups; group += 1) {
      if (!((errors[group] as number) < (least[group] as number))) continue;
      least[group] = errors[group] as number;
      low[group] = lows[group] as number;
      high[group] = highs[group] as number;
    }
  };
  const factors = Array.from({ length: steps }, (_, step) =>
    new Float64Array(groups).fill(1 - step / unit),
  );
  for (const factor of factors.slice(1)) attempt(factor, factor);
  if (!format.symmetric) {
    const highs = high.slice();
    for (const factor of factors) attempt(factor, highs);
    const lows = low.slice();
    for (const factor of factors) attempt(lows, factor);
  }
  return narrowed(low, high);
}

/** Infinity for each group in which the smallest or the largest value alone loses as much as its least error; 0 for others. */
function hopeless(
  { min, max }: Ranges,
  format: IntegerFormat,
  { scales, zeroPoints }: Scales,
  least: Float64Array,
): Float64Array {
  const range = integerRange(format);
  return least.map((bound, group) => {
    const scale = scales[group] as number;
    const zeroPoint = zeroPoints[group] as number;
    const low = squared(min[group] as number, scale, zeroPoint, range);
    const high = squared(max[group] as number, scale, zeroPoint, range);
    return Math.max(low, high) >= bound ? Infinity : 0;
  });
}

/** (x − dequantized)² */
function squared(x: number, scale: number, zeroPoint: number, range: IntegerRange): number {
  const lost = x - scale * (nearestInteger(Math.fround(x / scale), zeroPoint, range) - zeroPoint);
  return lost * lost;
}

/** Adds Σ (x − dequantized)² to each group's error that is finite. */
function addSquaredErrors(
  errors: Float64Array,
  values: Float32Array,
  layout: Layout,
  format: IntegerFormat,
  chosen: Scales,
): void {
  const range = integerRange(format);
  forEachRun(layout, (start, end, first, step) => {
    if (step === 1) addEach(errors, values, start, end, first, chosen, range);
    else if (errors[first] !== Infinity)
      errors[first] =
        (errors[first] as number) + sumOfRun(values, start, end, first, chosen, range);
  });
}

/** Of a run whose elements share a scale. Like the next one it is no closure, whose sums engines keep on the heap. */
function sumOfRun(
  values: Float32Array,
  start: number,
  end: number,
  group: number,
  { scales, zeroPoints }: Scales,
  range: IntegerRange,
): number {
  const scale = scales[group] as number;
  const zeroPoint = zeroPoints[group] as number;
  let sum = 0;
  for (let i = start; i < end; i += 1) sum += squared(values[i] as number, scale, zeroPoint, range);
  return sum;
}

/** Of a run whose elements are each of another group. */
function addEach(
  errors: Float64Array,
  values: Float32Array,
  start: number,
  end: number,
  first: number,
  { scales, zeroPoints }: Scales,
  range: IntegerRange,
): void {
  for (let i = start, group = first; i < end; i += 1, group += 1) {
    const error = errors[group] as number;
    if (error === Infinity) continue;
    const scale = scales[group] as number;
    const zeroPoint = zeroPoints[group] as number;
    errors[group] = error + squared(values[i] as number, scale, zeroPoint, range);
  }
}
