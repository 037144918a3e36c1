import { operator } from "./operator.js";

const window = "auto_pad kernel_shape pads strides";
const unary = "X X_scale X_zero_point? Y_scale Y_zero_point? -> Y";
const binary = "A A_scale A_zero_point? B B_scale B_zero_point? C_scale C_zero_point? -> C";

/** Operators on integers that onnxruntime's quantizer writes, each with the scales of what it reads and gives. */
export const quantizedOperatorSchemas = {
  "com.microsoft::QLinearConv": operator(
    "x x_scale x_zero_point w w_scale w_zero_point y_scale y_zero_point B? -> y",
    `${window} channels_last dilations group`,
  ),
  /** Without a scale of Y its result is float. */
  "com.microsoft::QGemm": operator(
    "A a_scale a_zero_point B b_scale b_zero_point C? y_scale? y_zero_point? -> Y",
    "alpha transA transB",
  ),
  "com.microsoft::QLinearAdd": operator(binary),
  "com.microsoft::QLinearMul": operator(binary),
  "com.microsoft::QLinearSigmoid": operator(unary),
  "com.microsoft::QLinearLeakyRelu": operator(unary, "alpha"),
  "com.microsoft::QLinearGlobalAveragePool": operator(
    "X x_scale x_zero_point y_scale y_zero_point -> Y",
    "channels_last",
  ),
  "com.microsoft::QLinearAveragePool": operator(
    unary,
    `${window} ceil_mode channels_last count_include_pad`,
  ),
  /** Inputs are in threes: integers, their scale and zero point. */
  "com.microsoft::QLinearConcat": operator("Y_scale Y_zero_point inputs... -> Y", "axis"),
  "com.microsoft::QLinearWhere": operator(
    "condition X x_scale x_zero_point Y y_scale y_zero_point z_scale z_zero_point -> Z",
  ),
  /** `opset` says what Softmax meant: since 13 along one axis. */
  "com.microsoft::QLinearSoftmax": operator(
    "X X_scale x_zero_point? y_scale y_zero_point -> Y",
    "axis opset",
  ),
  /** What onnxruntime makes of a product of integers and its scales as it optimizes a model. */
  "com.microsoft::MatMulIntegerToFloat": operator(
    "A B a_scale b_scale a_zero_point? b_zero_point? bias? -> Y",
  ),
  "com.microsoft::QAttention": operator(
    "input weight bias input_scale weight_scale mask_index? input_zero_point? weight_zero_point? past? -> output present?",
    "do_rotary mask_filter_value num_heads past_present_share_buffer scale unidirectional",
  ),
  "com.microsoft::QEmbedLayerNormalization": operator(
    "input_ids segment_ids? word_embedding_quant position_embedding_quant segment_embedding? gamma_quant beta_quant mask? word_embedding_scale position_embedding_scale segment_embedding_scale? gamma_scale beta_scale word_embedding_zero_point position_embedding_zero_point segment_embedding_zero_point? gamma_zero_point beta_zero_point -> layernorm_out mask_index_out",
    "epsilon",
  ),
};
