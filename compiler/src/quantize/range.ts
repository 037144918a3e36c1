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
      : leastSquares(all, format, steps, (tried) => squaredErrors(values, layout, format, tried));
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
 * @param errorsOf the squared error of every group with given scales
 */
export function leastSquares(
  { min, max }: Ranges,
  format: IntegerFormat,
  steps: number,
  errorsOf: (tried: Scales) => Float64Array,
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
  const least = errorsOf(scalesFor({ min, max }, format));
  const attempt = (lows: Float64Array, highs: Float64Array): void => {
    const errors = errorsOf(scalesFor(narrowed(lows, highs), format));
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

/** Σ (x − dequantized)² of every group. */
function squaredErrors(
  values: Float32Array,
  layout: Layout,
  format: IntegerFormat,
  { scales, zeroPoints }: Scales,
): Float64Array {
  const range = integerRange(format);
  const errors = new Float64Array(layout.groups);
  const add = (start: number, end: number, group: number): void => {
    const scale = scales[group] as number;
    const zeroPoint = zeroPoints[group] as number;
    const error = squaredError(values, start, end, scale, zeroPoint, range);
    errors[group] = (errors[group] as number) + error;
  };
  forEachRun(layout, (start, end, first, step) => {
    if (step === 0) add(start, end, first);
    else for (let i = start; i < end; i += 1) add(i, i + 1, first + i - start);
  });
  return errors;
}

/** The same of elements that share a scale. */
function squaredError(
  values: Float32Array,
  start: number,
  end: number,
  scale: number,
  zeroPoint: number,
  range: IntegerRange,
): number {
  let sum = 0;
  for (let i = start; i < end; i += 1) {
    const x = values[i] as number;
    const q = nearestInteger(Math.fround(x / scale), zeroPoint, range);
    const lost = x - scale * (q - zeroPoint);
    sum += lost * lost;
  }
  return sum;
}
