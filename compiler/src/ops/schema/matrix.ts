import { operator } from "./operator.js";

export const matrixSchemas = {
  MatMul: operator("A B -> Y"),
  MatMulInteger: operator("A B a_zero_point? b_zero_point? -> Y"),
  QLinearMatMul: operator(
    "a a_scale a_zero_point b b_scale b_zero_point y_scale y_zero_point -> y",
  ),
  Gemm: operator("A B C? -> Y", "alpha beta transA transB"),
  /** What onnxruntime makes of products when it optimizes a file. */
  "com.microsoft::DynamicQuantizeMatMul": operator("A B b_scale b_zero_point? bias? -> Y"),
  /** Weights in blocks of a few bits. */
  "com.microsoft::MatMulNBits": operator(
    "A B scales zero_points? g_idx? bias? -> Y",
    "K N accuracy_level bits block_size weight_prepacked",
  ),
  Einsum: operator("Inputs... -> Output", "equation"),
};
