// IEEE 754 binary16 as bits in a Uint16Array: 1 sign, 5 exponent (bias 15), 10 fraction.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest half to a float32, ties to even; beyond 65504 (from 65520 on) infinity. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const x = bits[0] ?? 0;
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and more
  if (magnitude >= 0x38800000)
    // 2^-14 and more: normal
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Subnormal: added to a half, float32 rounds it to a multiple of 2^-24.
  float[0] = Math.abs(float[0] ?? 0) + 0.5;
  return sign | ((bits[0] ?? 0) - 0x3f000000);
}

/** Exact. By bits: a power of two for each number takes ten times as long. */
export function halfToFloat(half: number): number {
  const rest = half & 0x7fff;
  // From 0x7c00 on it is infinite or no number. What has no leading one gets it by the product.
  bits[0] = rest < 0x7c00 ? rest << 13 : (rest << 13) | 0x7f800000;
  const magnitude = rest < 0x7c00 ? (float[0] ?? 0) * 2 ** 112 : (float[0] ?? 0);
  return half & 0x8000 ? -magnitude : magnitude;
}

export function floatsToHalves(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = floatToHalf(values[i] ?? 0);
  return halves;
}

export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = halfToFloat(halves[i] ?? 0);
  return floats;
}
