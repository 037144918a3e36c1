import type { Dtype } from "@pare/runtime/format";

/** TensorProto.DataType: what Cast's `to` and the `dtype` attributes hold. Position is the code; 0 is undefined. */
const byCode: readonly (Dtype | undefined)[] = [
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

/** The dtype that an attribute's code means; undefined for a code that is not known. */
export function dtypeOfCode(code: number | undefined): Dtype | undefined {
  return code === undefined ? undefined : byCode[code];
}

export function codeOfDtype(dtype: Dtype): number {
  return byCode.indexOf(dtype);
}
