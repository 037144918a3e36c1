import { floatsToHalves } from "@pare/runtime/format";

export const largestHalf = 65504;
/** The smallest positive float16. */
const smallestHalf = 2 ** -24;

/**
 * float32 to float16 bits without losing numbers to infinity or zero: what is larger than 65504 becomes that, what is
 * smaller than 2^−24 but not zero becomes that. Infinities and NaN stay.
 */
export function clampedHalves(values: Float32Array): {
  readonly halves: Uint16Array;
  readonly clamped: number;
} {
  let clamped = 0;
  const kept = values.map((x) => {
    const magnitude = Math.abs(x);
    if (
      magnitude === Infinity ||
      magnitude === 0 ||
      (magnitude <= largestHalf && magnitude >= smallestHalf) ||
      x !== x
    )
      return x;
    clamped += 1;
    return Math.sign(x) * (magnitude > largestHalf ? largestHalf : smallestHalf);
  });
  return { halves: floatsToHalves(kept), clamped };
}
