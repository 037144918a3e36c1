import { type IntegerFormat, integerRange } from "./format.js";
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

/** A range for every group. */
export interface Ranges {
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** Below the smallest normal float32 a scale would lose digits, or be zero. */
const smallestNormal = 2 ** -126;

type Numbers = Pick<IntegerFormat, "dtype" | "symmetric" | "reduceRange">;

/**
 * Scale and zero point that map a range, widened to contain zero, onto a format's integers: onnxruntime's
 * `compute_scale_zp` (1.31.1). The zero point follows from the scale in float64; the scale is cast afterwards. A range
 * too small for a float32 scale gives scale 1 and zero point 0.
 */
export function scaleOf({ min, max }: Range, format: Numbers): Scale {
  const { scales, zeroPoints } = scalesFor(
    { min: Float64Array.of(min), max: Float64Array.of(max) },
    format,
  );
  return { scale: scales[0] as number, zeroPoint: zeroPoints[0] as number };
}

/** For every group what `scaleOf` gives. */
export function scalesFor({ min: lows, max: highs }: Ranges, format: Numbers): Scales {
  const { symmetric } = format;
  const { min: least, max: most } = integerRange(format);
  const middle = roundHalfEven((least + most) / 2);
  const scales = new Float32Array(lows.length);
  const zeroPoints = new Int16Array(lows.length);
  for (let group = 0; group < lows.length; group += 1) {
    const [low, high] = [lows[group] as number, highs[group] as number];
    const max = symmetric ? Math.max(-low, high, 0) : Math.max(high, 0);
    const min = symmetric ? -max : Math.min(low, 0);
    const scale = (max - min) / (most - least);
    const fits = scale >= smallestNormal;
    scales[group] = fits ? scale : 1;
    zeroPoints[group] = !fits ? 0 : symmetric ? middle : roundHalfEven(least - min / scale);
  }
  return { scales, zeroPoints };
}
