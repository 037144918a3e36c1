import type { Dtype } from "@pare/runtime/format";

/** 8-bit floats: sign, exponent, fraction. "fn": no infinities; "uz": no negative zero, whose code is the NaN. */
interface Format {
  readonly fraction: number;
  readonly bias: number;
  readonly infinities: boolean;
  readonly unsignedZero: boolean;
}

export type Float8 = Extract<
  Dtype,
  "float8e4m3fn" | "float8e4m3fnuz" | "float8e5m2" | "float8e5m2fnuz"
>;

const formats: { readonly [D in Float8]: Format } = {
  float8e4m3fn: { fraction: 3, bias: 7, infinities: false, unsignedZero: false },
  float8e4m3fnuz: { fraction: 3, bias: 8, infinities: false, unsignedZero: true },
  float8e5m2: { fraction: 2, bias: 15, infinities: true, unsignedZero: false },
  float8e5m2fnuz: { fraction: 2, bias: 16, infinities: false, unsignedZero: true },
};

export function isFloat8(dtype: Dtype): dtype is Float8 {
  return Object.hasOwn(formats, dtype);
}

const tables = new Map<Float8, Float32Array>();

/** The value of each of the 256 codes. */
function valuesOf(dtype: Float8): Float32Array {
  const known = tables.get(dtype);
  if (known !== undefined) return known;
  const { fraction, bias, infinities, unsignedZero } = formats[dtype];
  const values = Float32Array.from({ length: 256 }, (_, code) => {
    const magnitude = code & 0x7f;
    const exponent = magnitude >> fraction;
    const rest = (magnitude & ((1 << fraction) - 1)) / (1 << fraction);
    const sign = code > 127 ? -1 : 1;
    if (unsignedZero && code === 0x80) return NaN;
    if (infinities && exponent === 31) return rest === 0 ? sign * Infinity : NaN;
    if (!infinities && !unsignedZero && magnitude === 0x7f) return NaN;
    return sign * (exponent === 0 ? rest * 2 ** (1 - bias) : (1 + rest) * 2 ** (exponent - bias));
  });
  tables.set(dtype, values);
  return values;
}

export function float8ToFloats(dtype: Float8, codes: ArrayLike<number>): Float32Array {
  const values = valuesOf(dtype);
  return Float32Array.from(codes, (code) => values[code & 0xff] ?? NaN);
}

/** To the nearest, ties to even. Beyond the largest: that where it saturates, else infinity, or NaN without one. */
export function floatsToFloat8(
  dtype: Float8,
  floats: ArrayLike<number>,
  saturate = true,
): Uint8Array {
  const values = valuesOf(dtype);
  const { infinities, unsignedZero } = formats[dtype];
  const nan = unsignedZero ? 0x80 : 0x7f;
  let largest = 0x7f;
  while (!Number.isFinite(values[largest] ?? NaN)) largest -= 1;
  const beyond = infinities ? largest + 1 : nan;
  const halfway = ((values[largest] ?? 0) - (values[largest - 1] ?? 0)) / 2;
  const encode = (value: number): number => {
    if (Number.isNaN(value)) return nan;
    const sign = value < 0 || Object.is(value, -0) ? 0x80 : 0;
    const size = Math.abs(value);
    const limit = (values[largest] ?? 0) + halfway;
    if (size > limit || (size === limit && largest % 2 === 1)) {
      const code = saturate ? largest : beyond;
      return code === 0x80 ? code : code | sign;
    }
    let low = 0;
    let high = largest;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((values[middle] ?? 0) <= size) low = middle;
      else high = middle - 1;
    }
    const up = Math.min(low + 1, largest);
    const toLow = size - (values[low] ?? 0);
    const toUp = (values[up] ?? 0) - size;
    const code = toLow < toUp || (toLow === toUp && low % 2 === 0) ? low : up;
    return code === 0 && unsignedZero ? 0 : code | sign;
  };
  return Uint8Array.from(floats, encode);
}
