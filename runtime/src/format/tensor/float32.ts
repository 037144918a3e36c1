const bits = new DataView(new ArrayBuffer(4));

/** A float32 as an integer of its bits. */
export function floatBits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getInt32(0);
}

/** The largest float32 below another; no number below -Infinity, so that nothing is at most it. */
export function floatBelow(value: number): number {
  if (value === -Infinity) return NaN;
  const own = floatBits(value === 0 ? -0 : value);
  bits.setInt32(0, own + (own < 0 ? 1 : -1));
  return bits.getFloat32(0);
}

/** The largest float32 that is at most a number: a float32 is at most that exactly where it is at most the number. */
export function floatAtMost(value: number): number {
  const nearest = Math.fround(value);
  return nearest > value ? floatBelow(nearest) : nearest;
}

/** The least float32 that is at least a number. */
export function floatAtLeast(value: number): number {
  return -floatAtMost(-value);
}
