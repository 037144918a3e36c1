import type { Distribution, Histogram } from "@pare/runtime/format";
import { type IntegerFormat, integerRange } from "./format.js";
import { nearestInteger } from "./half-even.js";
import { leastSquares, type RangeMethod } from "./range.js";
import { type Range, type Scale, scaleOf } from "./scale.js";

const steps = 64;

/** How ranges of activations are chosen. "percentile": all but the outermost, a hundred-thousandth of what occurs. */
export type ActivationRangeMethod = RangeMethod | "percentile";

/** Of what occurs, at each end. */
const outermost = 0.5e-5;

/** The range to round what was observed with. */
export function observedRange(
  observed: Distribution,
  method: ActivationRangeMethod,
  format: IntegerFormat,
): Range {
  if (method === "minmax") return observed.range;
  if (method === "percentile") return withoutOutermost(observed);
  const { range, histogram } = observed;
  const errorOf = (tried: Scale): number => squaredError(histogram, tried, format);
  return leastSquares(range, format, steps, errorOf, steps);
}

/** From bin to bin, inwards from both ends, until what was passed by is more than may be left out. */
function withoutOutermost({ count, range, histogram }: Distribution): Range {
  const { width, first, counts, zeros } = histogram;
  const most = count * outermost;
  let [low, high] = [0, 0];
  for (let i = 0, passed = 0; i < counts.length; i += 1) {
    low = (first + i) * width;
    if (first + i === 0 && (passed += zeros) > most) break;
    if ((passed += counts[i] as number) > most) break;
  }
  for (let i = counts.length - 1, passed = 0; i >= 0; i -= 1) {
    high = (first + i + 1) * width;
    if ((passed += counts[i] as number) > most) break;
    high = (first + i) * width;
    if (first + i === 0 && (passed += zeros) > most) break;
  }
  return { min: Math.max(range.min, low), max: Math.min(range.max, high) };
}

/** What is said of no error: of float32's own digits it is about 150. */
const mostSqnr = 300;

/** 10·log10(signal / error) of what was observed, rounded with a range, in dB: a number that JSON has, 300 without error. */
export function observedSqnr(
  { histogram }: Pick<Distribution, "histogram">,
  range: Range,
  format: IntegerFormat,
): number {
  const { width, first, counts } = histogram;
  let signal = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const n = counts[i] as number;
    if (n > 0) signal += n * ((first + i + 0.5) * width) ** 2;
  }
  const error = squaredError(histogram, scaleOf(range, format), format);
  return error === 0 ? mostSqnr : Math.min(10 * Math.log10(signal / error), mostSqnr);
}

/** Σ (x − dequantized)² with every value at its bin's middle. Zero is always exact. */
function squaredError(
  { width, first, counts }: Histogram,
  { scale, zeroPoint }: Scale,
  format: IntegerFormat,
): number {
  const integers = integerRange(format);
  let sum = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const n = counts[i] as number;
    if (n === 0) continue;
    const x = (first + i + 0.5) * width;
    const q = nearestInteger(Math.fround(x / scale), zeroPoint, integers);
    const error = x - scale * (q - zeroPoint);
    sum += n * error * error;
  }
  return sum;
}
