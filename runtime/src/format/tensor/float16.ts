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
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65536 or more
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13); // 2^-14 and more: normal
  if (magnitude < 0x33000000) return sign; // below 2^-25
  const shift = 126 - (magnitude >>> 23); // subnormal: the fraction with its leading one, in units of 2^-24
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift);
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

export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = halfToFloat(halves[i] ?? 0);
  return floats;
}

function roundShift(value: number, shift: number): number {
  const half = 1 << (shift - 1);
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  return rest > half || (rest === half && kept & 1) ? kept + 1 : kept;
}
