/** Real values lie between `min` and `max`; what lies outside is clipped. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** real = scale × (q − zeroPoint). The scale is a float32. */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Both ends included. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** All of uint8: activations. */
export const uint8Range: IntegerRange = { min: 0, max: 255 };

/** int8 without −128, so that zero is in the middle: weights. */
export const int8Range: IntegerRange = { min: -127, max: 127 };

/**
 * Seven bits in an int8. x86 without VNNI adds two products of uint8 × int8 in 16 bits, which saturate at 32767:
 * 2 × 255 × 64 = 32640 fits, 2 × 255 × 127 does not.
 */
export const int7Range: IntegerRange = { min: -64, max: 64 };

const smallestNormal = 2 ** -126;
const halfEvenMagic = 1.5 * 2 ** 52;

/** To the nearest integer, ties to even; for |x| below 2^51. */
export function roundHalfEven(x: number): number {
  return x + halfEvenMagic - halfEvenMagic;
}

/**
 * Scale and zero point that map [min, max], widened to contain zero, onto the integers: onnxruntime's
 * `compute_scale_zp` (1.31.1). The zero point follows from the scale in float64; the scale is cast afterwards. A range
 * too small for a float32 scale gives scale 1, zero point 0.
 */
export function affineOf(range: Range, integers: IntegerRange): Affine {
  const min = Math.min(range.min, 0);
  const max = Math.max(range.max, 0);
  const scale = (max - min) / (integers.max - integers.min);
  if (!(scale >= smallestNormal)) return { scale: 1, zeroPoint: 0 };
  return { scale: Math.fround(scale), zeroPoint: roundHalfEven(integers.min - min / scale) };
}

/** As `affineOf`, with −a…a around zero: the zero point is 0 where the integers are symmetric. */
export function symmetricScale(absoluteMax: number, integers: IntegerRange): number {
  const scale = (2 * absoluteMax) / (integers.max - integers.min);
  return scale >= smallestNormal ? Math.fround(scale) : 1;
}

/** One value: divided in float32, rounded half to even, then shifted and clipped. */
export function quantizeValue(
  x: number,
  { scale, zeroPoint }: Affine,
  integers: IntegerRange,
): number {
  const q = roundHalfEven(Math.fround(x / scale)) + zeroPoint;
  return q < integers.min ? integers.min : q > integers.max ? integers.max : q;
}
