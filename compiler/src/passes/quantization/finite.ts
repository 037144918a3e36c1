/** What is decoded of a number above it may be infinite: half of the largest float32. */
const most = 2 ** 127;

/** No NaN, and nothing that is infinite, now or once it was rounded: a scale can stand for all of them. */
export function allFinite(values: Float32Array): boolean {
  for (const value of values) if (!(Math.abs(value) <= most)) return false;
  return true;
}
