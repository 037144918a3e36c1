import {
  bfloatsToFloats,
  bytesOf,
  type Dtype,
  dtypeArray,
  dtypeBits,
  elementCount,
  halvesToFloats,
  floatsToHalves,
  PareError,
  type Tensor as Dense,
  type TypedArray,
} from "@pare/runtime/format";
import { float8ToFloats, floatsToFloat8 } from "./float8.js";

/** 64-bit integers, computed as bigint. */
export type WideArray = BigInt64Array | BigUint64Array;
/** Everything else, computed as number. */
export type NumberArray = Exclude<TypedArray, WideArray>;

export function isWide(array: TypedArray): array is WideArray {
  return array instanceof BigInt64Array || array instanceof BigUint64Array;
}

export function isFloat(dtype: Dtype): boolean {
  return dtype.startsWith("float") || dtype === "bfloat16";
}

/** The lowest and highest number of an integer dtype of up to 53 bits. */
export function limitsOf(dtype: Dtype): readonly [number, number] {
  if (dtype === "bool") return [0, 1];
  const bits = dtypeBits[dtype];
  return dtype.startsWith("u") ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** An array to compute a dtype in: 16-bit and smaller floats in float32, packed integers in bytes. Zeros. */
export function workingArray(dtype: Dtype, count: number): TypedArray {
  switch (dtype) {
    case "string":
      throw unsupported("Strings");
    case "float16":
    case "bfloat16":
    case "float8e4m3fn":
    case "float8e4m3fnuz":
    case "float8e5m2":
    case "float8e5m2fnuz":
      return new Float32Array(count);
    case "float4e2m1":
    case "float8e8m0":
    case "complex64":
    case "complex128":
      throw unsupported(dtype);
    case "int4":
    case "int2":
      return new Int8Array(count);
    default:
      return new dtypeArray[dtype](count);
  }
}

/**
 * A tensor's elements, one each, ready to compute with; a view where that is how they are held.
 * @throws PareError UNSUPPORTED_OP for strings and complex numbers
 */
export function unpack(tensor: Dense): TypedArray {
  const { data, type } = tensor;
  if (!ArrayBuffer.isView(data)) throw unsupported("Strings");
  switch (type) {
    case "float16":
      return halvesToFloats(data as Uint16Array);
    case "bfloat16":
      return bfloatsToFloats(data as Uint16Array);
    case "int4":
    case "uint4":
      return unpackBits(data, elementCount(tensor.dims), 4, type === "int4");
    case "int2":
    case "uint2":
      return unpackBits(data, elementCount(tensor.dims), 2, type === "int2");
    case "float8e4m3fn":
    case "float8e4m3fnuz":
    case "float8e5m2":
    case "float8e5m2fnuz":
      return float8ToFloats(type, data as Uint8Array);
    case "float4e2m1":
    case "float8e8m0":
    case "complex64":
    case "complex128":
      throw unsupported(type);
    default:
      return data;
  }
}

/** The tensor of a dtype that a working array holds. */
export function pack(type: Dtype, dims: readonly number[], array: TypedArray): Dense {
  switch (type) {
    case "float16":
      return { type, dims, data: floatsToHalves(array as Float32Array) };
    case "bfloat16":
      return { type, dims, data: floatsToBfloats(array as Float32Array) };
    case "int4":
    case "uint4":
      return { type, dims, data: packBits(array, 4) };
    case "int2":
    case "uint2":
      return { type, dims, data: packBits(array, 2) };
    case "float8e4m3fn":
    case "float8e4m3fnuz":
    case "float8e5m2":
    case "float8e5m2fnuz":
      return { type, dims, data: floatsToFloat8(type, array as Float32Array) };
    default:
      return { type, dims, data: array };
  }
}

/** As `unpack`, for what must be held as numbers; 64-bit integers become doubles. */
export function unpackNumbers(tensor: Dense): NumberArray {
  const array = unpack(tensor);
  return isWide(array) ? Float64Array.from(array as ArrayLike<bigint>, Number) : array;
}

/** The integers in a small tensor: axes, pads, a shape. Beyond 2^53 they are clamped. */
export function integers(tensor: Dense): number[] {
  return Array.from(unpackNumbers(tensor), (value) =>
    Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value)),
  );
}

function unsupported(what: string): PareError {
  return new PareError("UNSUPPORTED_OP", `${what} cannot be computed with.`);
}

/** 4- and 2-bit elements lie from the low bits of a byte to the high ones. */
function unpackBits(data: TypedArray, count: number, bits: 2 | 4, signed: boolean): TypedArray {
  const bytes = bytesOf(data);
  const values = signed ? new Int8Array(count) : new Uint8Array(count);
  const perByte = 8 / bits;
  for (let i = 0; i < count; i += 1) {
    const raw = (bytes[Math.floor(i / perByte)] ?? 0) >> (bits * (i % perByte));
    values[i] = signed ? (raw << (32 - bits)) >> (32 - bits) : raw & ((1 << bits) - 1);
  }
  return values;
}

function packBits(array: TypedArray, bits: 2 | 4): Uint8Array {
  const perByte = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(array.length / perByte));
  for (let i = 0; i < array.length; i += 1) {
    const at = Math.floor(i / perByte);
    bytes[at] =
      (bytes[at] ?? 0) | ((Number(array[i]) & ((1 << bits) - 1)) << (bits * (i % perByte)));
  }
  return bytes;
}

/** Ties to even; NaN stays NaN. */
function floatsToBfloats(floats: Float32Array): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(floats).buffer);
  return Uint16Array.from(bits, (x) =>
    (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16,
  );
}
