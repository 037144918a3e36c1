import { floatsToHalves, halvesToFloats } from "@pare/runtime/format";

export const largestHalf = 65504;
/** Smaller ones lose digits. */
export const leastWholeHalf = 2 ** -14;
/** The smallest positive float16. */
const smallestHalf = 2 ** -24;

/**
 * float32 to float16 bits without losing numbers to infinity or zero: what is larger than 65504 becomes that, what is
 * smaller than 2^−24 but not zero becomes that. Infinities and NaN stay.
 */
export function clampedHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  const clamped = new Float32Array(values);
  for (let at = 0; at < clamped.length; at += 1) {
    const x = clamped[at] as number;
    const magnitude = Math.abs(x);
    if (magnitude > largestHalf && magnitude < Infinity) clamped[at] = Math.sign(x) * largestHalf;
    else if (magnitude < smallestHalf && magnitude > 0) clamped[at] = Math.sign(x) * smallestHalf;
  }
  return floatsToHalves(clamped);
}

/** Can these be float16 numbers that keep all their digits? */
export function fitsHalves(values: Float32Array): boolean {
  return values.every((value) => value >= leastWholeHalf && value <= largestHalf);
}

/** Each rounded to the nearest float16 number. */
export function asHalves(values: Float32Array): Float32Array {
  return halvesToFloats(floatsToHalves(values));
}
