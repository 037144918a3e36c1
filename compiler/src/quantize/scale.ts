import { type IntegerFormat, type IntegerRange, integerRange } from "./format.js";
import { roundHalfEven } from "./half-even.js";

/** Real values lie between `min` and `max`; what lies outside is clipped. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** real = scale × (q − zeroPoint). The scale is a float32, the zero point one of the format's integers. */
export interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Of every group of a tensor, in the order of its layout. */
export interface Scales {
  readonly scales: Float32Array;
  readonly zeroPoints: Int16Array;
}

/** Below the smallest normal float32 a scale would lose digits, or be zero. */
export const smallestNormal = 2 ** -126;

type Numbers = Pick<IntegerFormat, "dtype" | "symmetric" | "reduceRange">;

/**
 * Scale and zero point that map a range, widened to contain zero, onto a format's integers: onnxruntime's
 * `compute_scale_zp` (1.31.1). The zero point follows from the scale in float64; the scale is cast afterwards. A range
 * too small for a float32 scale gives scale 1 and zero point 0.
 */
export function scaleOf(range: Range, format: Numbers): Scale {
  return scaleWithin(range, format.symmetric, integerRange(format));
}

/** Is a range, widened to contain zero, so small that no scale stands for it? */
export function isTooSmall({ min, max }: Range, format: Numbers): boolean {
  const { min: least, max: most } = integerRange(format);
  return !(Math.max(max, 0) - Math.min(min, 0) >= smallestNormal * (most - least));
}

/** As `scaleOf`, of a format's integers, for who asks often. */
export function scaleWithin(
  { min: low, max: high }: Range,
  symmetric: boolean,
  { min: least, max: most }: IntegerRange,
): Scale {
  const max = symmetric ? Math.max(-low, high, 0) : Math.max(high, 0);
  const min = symmetric ? -max : Math.min(low, 0);
  const scale = (max - min) / (most - least);
  if (!(scale >= smallestNormal)) return { scale: 1, zeroPoint: 0 };
  return {
    scale: Math.fround(scale),
    zeroPoint: roundHalfEven(symmetric ? (least + most) / 2 : least - min / scale),
  };
}
