import type { Histogram, Observer } from "./observer.js";
import { type Affine, affineOf, type IntegerRange, quantizeValue, type Range } from "./scale.js";

export type RangeMethod = "minmax" | "mse";

/** The range to quantize with: all that was seen, or what loses least in the mean square. */
export function rangeOf(observer: Observer, method: RangeMethod, integers: IntegerRange): Range {
  return method === "minmax" ? observer.range : leastSquaresRange(observer, integers);
}

/**
 * Narrows the range as long as the mean square error over the histogram falls: first both ends together, then each
 * alone. Clipping a few outliers costs less than a coarser step for all.
 */
export function leastSquaresRange(observer: Observer, integers: IntegerRange): Range {
  const { min, max } = observer.range;
  const { histogram } = observer;
  let best = { low: 1, high: 1, error: Infinity };
  const attempt = (low: number, high: number): void => {
    const error = squaredError(
      histogram,
      affineOf({ min: min * low, max: max * high }, integers),
      integers,
    );
    if (error < best.error) best = { low, high, error };
  };
  for (let step = 0; step < 64; step += 1) attempt(1 - step / 64, 1 - step / 64);
  const { low, high } = best;
  if (min < 0) for (let step = 0; step < 64; step += 1) attempt(1 - step / 64, high);
  if (max > 0)
    for (let step = 0; step < 64; step += 1) attempt(min < 0 ? best.low : low, 1 - step / 64);
  return { min: min * best.low, max: max * best.high };
}

/** Sum of (x − dequantize(quantize(x)))² with every value at its bin's middle. Zero is always exact. */
export function squaredError(histogram: Histogram, affine: Affine, integers: IntegerRange): number {
  const { width, first, counts } = histogram;
  let sum = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const n = counts[i] as number;
    if (n === 0) continue;
    const x = (first + i + 0.5) * width;
    const error = x - affine.scale * (quantizeValue(x, affine, integers) - affine.zeroPoint);
    sum += n * error * error;
  }
  return sum;
}

/** 10·log10(signal / error) over what was observed, in dB; Infinity without error. */
export function activationSqnr(observer: Observer, affine: Affine, integers: IntegerRange): number {
  const { histogram } = observer;
  let signal = 0;
  histogram.counts.forEach(
    (n, i) => (signal += n * ((histogram.first + i + 0.5) * histogram.width) ** 2),
  );
  return 10 * Math.log10(signal / squaredError(histogram, affine, integers));
}
