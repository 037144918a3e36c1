import type { Dtype } from "@pare/runtime/format";

/** TensorProto.DataType by number. 27 and 28 (6-bit floats) are not held by this version. */
const dtypes: readonly (Dtype | undefined)[] = [
  undefined,
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bfloat16",
  "float8e4m3fn",
  "float8e4m3fnuz",
  "float8e5m2",
  "float8e5m2fnuz",
  "uint4",
  "int4",
  "float4e2m1",
  "float8e8m0",
  "uint2",
  "int2",
];

export function dtypeOfCode(code: number | bigint | undefined): Dtype | undefined {
  return code === undefined ? undefined : dtypes[Number(code)];
}

export function codeOfDtype(dtype: Dtype): number {
  return dtypes.indexOf(dtype);
}
