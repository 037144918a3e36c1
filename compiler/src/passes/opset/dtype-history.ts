import type { Dtype } from "@pare/runtime/format";

/** From an opset on, these operators take these element types as their first input. */
interface Widening {
  readonly from: number;
  readonly ops: readonly string[];
  readonly dtypes: readonly Dtype[];
}

const smallIntegers: readonly Dtype[] = ["int8", "uint8", "int16", "uint16"];
const integers: readonly Dtype[] = [...smallIntegers, "int32", "uint32", "int64", "uint64"];

/** After ONNX's schemas; bfloat16, float8 and 4-bit integers are told by `general`. */
const widenings: readonly Widening[] = [
  { from: 9, ops: ["Greater", "Less"], dtypes: integers },
  { from: 9, ops: ["Gemm", "MatMul", "PRelu"], dtypes: ["int32", "uint32", "int64", "uint64"] },
  { from: 9, ops: ["Flatten"], dtypes: [...integers, "bool", "string"] },
  { from: 9, ops: ["Cast"], dtypes: ["string"] },
  {
    from: 11,
    ops: ["Equal"],
    dtypes: [...smallIntegers, "uint32", "uint64", "float16", "float32", "float64"],
  },
  { from: 11, ops: ["Pad", "TopK"], dtypes: integers },
  { from: 12, ops: ["Clip", "Max", "Min"], dtypes: integers },
  { from: 12, ops: ["Pow"], dtypes: ["int32", "int64"] },
  { from: 12, ops: ["MaxPool", "ReduceMax", "ReduceMin"], dtypes: ["int8", "uint8"] },
  { from: 13, ops: ["Pad"], dtypes: ["bool", "string"] },
  { from: 14, ops: ["CumSum"], dtypes: ["float16"] },
  { from: 14, ops: ["Relu"], dtypes: ["int8", "int16", "int32"] },
  { from: 14, ops: ["Add", "Div", "Mul", "Sub"], dtypes: smallIntegers },
  { from: 19, ops: ["QuantizeLinear"], dtypes: ["float16", "bfloat16"] },
  { from: 19, ops: ["Equal"], dtypes: ["string"] },
  { from: 20, ops: ["IsInf"], dtypes: ["float16"] },
  { from: 20, ops: ["ReduceMax", "ReduceMin"], dtypes: ["bool"] },
  { from: 21, ops: ["DequantizeLinear"], dtypes: ["int16", "uint16"] },
];

/** What no operator took before an opset. */
const general: readonly (readonly [from: number, dtypes: readonly Dtype[]])[] = [
  [21, ["int4", "uint4"]],
  [19, ["float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"]],
  [13, ["bfloat16"]],
];

/** Did this opset bring this type to this operator? */
export function widenedAt(opset: number, op: string, dtype: Dtype): boolean {
  if (general.some(([from, dtypes]) => from === opset && dtypes.includes(dtype))) return true;
  return widenings.some(
    ({ from, ops, dtypes }) => from === opset && ops.includes(op) && dtypes.includes(dtype),
  );
}
