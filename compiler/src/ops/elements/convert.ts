import { type Dtype, dtypeBits, elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { isFloat, isWide, limitsOf, pack, unpack, workingArray } from "./arrays.js";
import { floatsToFloat8, isFloat8 } from "./float8.js";

/**
 * A tensor's elements in another dtype, as Cast does it: floats are cut towards zero on their way to integers,
 * integers wrap around (floats that become 4 or 2 bits saturate), anything but zero is true.
 */
export function convert(from: Dense, to: Dtype, saturate = true): Dense {
  const { dims, type } = from;
  if (type === to) return from;
  if (to === "string") return { type: to, dims, data: texts(from) };
  const count = elementCount(dims);
  const source = type === "string" ? parsed(from, to) : unpack(from);
  if (isFloat8(to))
    return {
      type: to,
      dims,
      data: floatsToFloat8(to, Float32Array.from(source, Number), saturate),
    };
  const result = workingArray(to, count);
  if (isWide(result)) {
    for (let i = 0; i < count; i += 1) result[i] = wide(source[i] ?? 0);
  } else if (dtypeBits[to] < 8) {
    const [low, high] = limitsOf(to);
    for (let i = 0; i < count; i += 1)
      result[i] = isFloat(type)
        ? Math.max(low, Math.min(high, Math.trunc(Number(source[i]))))
        : lowest(Number(BigInt.asIntN(32, BigInt(source[i] ?? 0))), dtypeBits[to], low < 0);
  } else if (to === "bool") {
    for (let i = 0; i < count; i += 1) result[i] = Number(source[i]) === 0 ? 0 : 1;
  } else if (isWide(source) && !isFloat(to)) {
    for (let i = 0; i < count; i += 1) result[i] = Number(BigInt.asIntN(32, source[i] ?? 0n));
  } else {
    for (let i = 0; i < count; i += 1) result[i] = Number(source[i] ?? 0);
  }
  return pack(to, dims, result);
}

/** The lowest bits of an integer. */
function lowest(value: number, bits: number, signed: boolean): number {
  const shift = 32 - bits;
  return signed ? (value << shift) >> shift : (value << shift) >>> shift;
}

function wide(value: number | bigint): bigint {
  if (typeof value === "bigint") return value;
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : -(2n ** 63n);
}

function parsed({ data }: Dense, to: Dtype): Float64Array | BigInt64Array {
  const strings = data as readonly string[];
  if (to === "int64" || to === "uint64")
    return BigInt64Array.from(strings, (text) => BigInt(text.trim()));
  return Float64Array.from(strings, (text) => parseNumber(text.trim()));
}

function parseNumber(text: string): number {
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity !== null) return infinity[1] === "-" ? -Infinity : Infinity;
  return Number(text);
}

const narrowFloats: ReadonlySet<Dtype> = new Set(["float32", "float16", "bfloat16"]);

/** The shortest text that reads back as the same number of that dtype. */
function texts(from: Dense): string[] {
  const array = unpack(from);
  return Array.from(array as ArrayLike<number | bigint>, (value) => {
    if (typeof value === "bigint" || !narrowFloats.has(from.type)) return String(value);
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value < 0 ? "-INF" : "INF";
    if (value === 0) return Object.is(value, -0) ? "-0" : "0";
    for (let digits = 1; digits < 9; digits += 1) {
      const shown = Number(value.toPrecision(digits));
      if (Math.fround(shown) === Math.fround(value)) return asPrinted(shown);
    }
    return asPrinted(value);
  });
}

/** As C's %g prints it: with an exponent of at least two digits below 0.0001 and from 100 million on. */
function asPrinted(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e8) return String(value);
  const [digits, exponent = "+0"] = value.toExponential().split("e");
  const sign = exponent.startsWith("-") ? "-" : "+";
  return `${digits}e${sign}${exponent.replace(/^[+-]/, "").padStart(2, "0")}`;
}
