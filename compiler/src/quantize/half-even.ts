import type { IntegerRange } from "./format.js";

/** The last bit of numbers as large as this counts units: what is added to it is rounded to an integer. */
const unitsLast = 1.5 * 2 ** 52;

/** To the nearest integer, ties to even; for |x| below 2^51. */
export function roundHalfEven(x: number): number {
  return x + unitsLast - unitsLast;
}

/**
 * The integer of a ratio real / scale: rounded half to even, then shifted, then clipped. The only way in which this
 * compiler makes integers of real numbers; the reference evaluation of operators has one of its own.
 */
export function nearestInteger(ratio: number, zeroPoint: number, range: IntegerRange): number {
  const q = roundHalfEven(ratio) + zeroPoint;
  return q < range.min ? range.min : q > range.max ? range.max : q;
}
