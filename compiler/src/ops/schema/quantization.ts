import { operator } from "./operator.js";

const quantize = operator(
  "x y_scale y_zero_point? -> y",
  "axis block_size output_dtype precision saturate",
);
const dequantize = operator("x x_scale x_zero_point? -> y", "axis block_size output_dtype");

export const quantizationSchemas = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  "com.microsoft::QuantizeLinear": quantize,
  "com.microsoft::DequantizeLinear": dequantize,
  DynamicQuantizeLinear: operator("x -> y y_scale y_zero_point"),
};
