/** Element types, by onnxruntime's names; the last rows exist in files but not on every engine. */
export type Dtype =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "bool"
  | "string"
  | "int4"
  | "uint4"
  | "int2"
  | "uint2"
  | "float4e2m1"
  | "float8e4m3fn"
  | "float8e4m3fnuz"
  | "float8e5m2"
  | "float8e5m2fnuz"
  | "float8e8m0"
  | "complex64"
  | "complex128";

/** Bits of one element; 0 for strings, whose length varies. */
export const dtypeBits: { readonly [D in Dtype]: number } = {
  float32: 32,
  float64: 64,
  float16: 16,
  bfloat16: 16,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  bool: 8,
  string: 0,
  int4: 4,
  uint4: 4,
  int2: 2,
  uint2: 2,
  float4e2m1: 4,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  complex64: 64,
  complex128: 128,
};

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export type TypedArrayConstructor =
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;

/**
 * The array that holds a dtype's elements: float16 and bfloat16 as Uint16Array bits, bool as Uint8Array of
 * 0 and 1, packed and 8-bit float formats as Uint8Array bytes, complex as interleaved floats.
 */
export const dtypeArray: { readonly [D in Exclude<Dtype, "string">]: TypedArrayConstructor } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  int4: Uint8Array,
  uint4: Uint8Array,
  int2: Uint8Array,
  uint2: Uint8Array,
  float4e2m1: Uint8Array,
  float8e4m3fn: Uint8Array,
  float8e4m3fnuz: Uint8Array,
  float8e5m2: Uint8Array,
  float8e5m2fnuz: Uint8Array,
  float8e8m0: Uint8Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

export const dtypes: readonly string[] = /* @__PURE__ */ Object.keys(dtypeArray).concat("string");

/** Of elements that a typed array holds. */
export function isNumeric(text: unknown): text is keyof typeof dtypeArray {
  return typeof text === "string" && Object.hasOwn(dtypeArray, text);
}

export function isDtype(text: unknown): text is Dtype {
  return dtypes.includes(text as string);
}

/** Elements of a tensor's array for one of the tensor: packed types hold two or four in one, complex ones take two. */
export function storedPerElement(dtype: Dtype): number {
  if (/int4$|^float4/.test(dtype)) return 1 / 2;
  if (dtype.endsWith("int2")) return 1 / 4;
  return dtype.startsWith("c") ? 2 : 1;
}

/** Bytes of a dense tensor of `count` elements; packed types round up to a whole byte. */
export function dtypeBytes(dtype: Dtype, count: number): number {
  return Math.ceil((count * dtypeBits[dtype]) / 8);
}
