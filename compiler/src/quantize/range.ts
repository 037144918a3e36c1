import { dtypeBits } from "@pare/runtime/format";
import { type IntegerFormat, type IntegerRange, integerRange } from "./format.js";
import { nearestInteger, roundHalfEven } from "./half-even.js";
import { forEachGroup, layoutOf } from "./layout.js";
import { type Range, type Scale, type Scales, scaleWithin, smallestNormal } from "./scale.js";

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
  const integers = integerRange(format);
  const steps = narrowings[dtypeBits[format.dtype]] ?? 1;
  const scales = new Float32Array(layout.groups);
  const zeroPoints = new Int16Array(layout.groups);
  forEachGroup(layout, values, (elements, start, end, group) => {
    const all = rangeOf(elements, start, end);
    const errorOf = ({ scale, zeroPoint }: Scale, least: number): number => {
      // Where the smallest or the largest alone loses as much, nothing has to be summed.
      const low = squared(all.min, scale, zeroPoint, integers);
      const high = squared(all.max, scale, zeroPoint, integers);
      if (Math.max(low, high) >= least) return Infinity;
      return squaredError(elements, start, end, scale, zeroPoint, integers, least);
    };
    const { scale, zeroPoint } =
      method === "mse" && dtypeBits[format.dtype] === 2
        ? leastOfTwoBits(all, format, errorOf)
        : scaleWithin(
            method === "minmax" ? all : leastSquares(all, format, steps, errorOf),
            format.symmetric,
            integers,
          );
    scales[group] = scale;
    zeroPoints[group] = zeroPoint;
  });
  return { scales, zeroPoints };
}

/** In steps of a thirty-second: with fewer integers it pays to clip more. */
const narrowings: Readonly<Record<number, number>> = { 8: 12, 4: 20 };

/** The smallest and the largest, both widened to contain zero; NaN is left out. */
function rangeOf(values: Float32Array, start: number, end: number): Range {
  let [min, max] = [0, 0];
  for (let i = start; i < end; i += 1) {
    const x = values[i] as number;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  return { min, max };
}

/**
 * Narrows a range as long as the squared error falls: first both ends together, then, where the format is not symmetric,
 * each alone. Clipping a few outliers costs less than a coarser step for all.
 * @param steps how often an end is moved, each time by a `1 / unit` of where it was
 * @param errorOf the squared error with a scale; anything that is no less will do where it is no less than the least
 */
export function leastSquares(
  { min, max }: Range,
  format: IntegerFormat,
  steps: number,
  errorOf: (tried: Scale, least: number) => number,
  unit = 32,
): Range {
  const { symmetric } = format;
  const integers = integerRange(format);
  const scaled = (lower: number, upper: number): Scale =>
    scaleWithin({ min: min * lower, max: max * upper }, symmetric, integers);
  /** What is kept of each end. */
  let [low, high] = [1, 1];
  let least = errorOf(scaled(low, high), Infinity);
  const attempt = (lower: number, upper: number): void => {
    const error = errorOf(scaled(lower, upper), least);
    if (!(error < least)) return;
    least = error;
    low = lower;
    high = upper;
  };
  for (let step = 1; step < steps; step += 1) attempt(1 - step / unit, 1 - step / unit);
  if (!symmetric) {
    const upper = high;
    for (let step = 0; step < steps; step += 1) attempt(1 - step / unit, upper);
    const lower = low;
    for (let step = 0; step < steps; step += 1) attempt(lower, 1 - step / unit);
  }
  return { min: min * low, max: max * high };
}

/**
 * Of four numbers which one is zero matters more than where the range ends: each is tried with every scale from a
 * sixteenth of the largest magnitude to all of it.
 */
function leastOfTwoBits(
  { min, max }: Range,
  format: IntegerFormat,
  errorOf: (tried: Scale, least: number) => number,
): Scale {
  const { symmetric } = format;
  const integers = integerRange(format);
  let found = scaleWithin({ min, max }, symmetric, integers);
  let least = errorOf(found, Infinity);
  const magnitude = Math.max(-min, max);
  if (!(magnitude >= smallestNormal * 16)) return found;
  const first = symmetric ? found.zeroPoint : integers.min;
  const last = symmetric ? found.zeroPoint : integers.max;
  for (let zeroPoint = first; zeroPoint <= last; zeroPoint += 1) {
    for (let step = 2; step <= 32; step += 1) {
      const tried = { scale: Math.fround((magnitude * step) / 32), zeroPoint };
      const error = errorOf(tried, least);
      if (!(error < least)) continue;
      least = error;
      found = tried;
    }
  }
  return found;
}

/** (x − dequantized)² */
function squared(x: number, scale: number, zeroPoint: number, range: IntegerRange): number {
  const lost = x - scale * (nearestInteger(Math.fround(x / scale), zeroPoint, range) - zeroPoint);
  return lost * lost;
}

/** Below it a float32 is less than 2⁻¹⁴ from what it is rounded from. */
const certain = 1024;

/**
 * Σ (x − dequantized)², or what it has come to when that is no less than the least. A product with 1 / scale tells the
 * integer, but near a tie: of numbers below `certain` it is less than 2⁻¹³ from the float32 quotient that is to be rounded.
 */
function squaredError(
  values: Float32Array,
  start: number,
  end: number,
  scale: number,
  zeroPoint: number,
  range: IntegerRange,
  least: number,
): number {
  const { min, max } = range;
  const inverse = 1 / scale;
  let sum = 0;
  for (let i = start; i < end && sum < least; i += 1) {
    const x = values[i] as number;
    const ratio = x * inverse;
    const nearest = roundHalfEven(ratio);
    const isCertain = Math.abs(ratio) < certain && Math.abs(ratio - nearest) < 0.5 - 2 ** -13;
    let q = (isCertain ? nearest : roundHalfEven(Math.fround(x / scale))) + zeroPoint;
    if (q < min) q = min;
    else if (q > max) q = max;
    const lost = x - scale * (q - zeroPoint);
    sum += lost * lost;
  }
  return sum;
}
