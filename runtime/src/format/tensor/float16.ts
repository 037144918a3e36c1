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

export function halfToFloat(half: number): number {
  const exponent = (half >>> 10) & 31;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

export function floatsToHalves(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = floatToHalf(values[i] ?? 0);
  return halves;
}

/** As `halfToFloat`, by bits: a power of two for each number takes ten times as long. */
export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length);
  const words = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] ?? 0;
    const rest = half & 0x7fff;
    words[i] = rest << 13;
    // Exact, and what has no leading one gets it.
    if (rest < 0x7c00) floats[i] = (floats[i] ?? 0) * 2 ** 112;
    else words[i] = (rest << 13) | 0x7f800000;
    if (half & 0x8000) words[i] = (words[i] ?? 0) | 0x80000000;
  }
  return floats;
}
