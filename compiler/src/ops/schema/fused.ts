import { window } from "./convolution.js";
import { operator } from "./operator.js";

/** What onnxruntime fuses as it optimizes a model, attention apart, and what ONNX defines by operators that there are. */
export const fusedSchemas = {
  "com.microsoft::Gelu": operator("X -> Y"),
  "com.microsoft::QuickGelu": operator("X -> Y", "alpha"),
  "com.microsoft::BiasGelu": operator("A B -> C"),
  "com.microsoft::FastGelu": operator("X bias? -> Y"),
  "com.microsoft::FusedConv": operator("X W B? Z? -> Y", `${window} activation activation_params`),
  "com.microsoft::FusedMatMul": operator("A B -> Y", "alpha transA transB transBatchA transBatchB"),
  "com.microsoft::TransposeMatMul": operator("A B -> Y", "alpha transA transB"),
  "com.microsoft::FusedGemm": operator(
    "A B C? -> Y",
    "activation activation_alpha activation_beta activation_gamma alpha beta transA transB",
  ),
  MeanVarianceNormalization: operator("X -> Y", "axes"),
  SimplifiedLayerNormalization: operator("X scale -> Y inv_std_var?", "axis epsilon stash_type"),
  "com.microsoft::SkipLayerNormalization": operator(
    "input skip gamma beta? bias? -> output mean? inv_std_var? input_skip_bias_sum?",
    "epsilon",
  ),
  "com.microsoft::SkipSimplifiedLayerNormalization": operator(
    "input skip gamma bias? -> output mean? inv_std_var? input_skip_bias_sum?",
    "epsilon",
  ),
  "com.microsoft::EmbedLayerNormalization": operator(
    "input_ids segment_ids? word_embedding position_embedding segment_embedding? gamma beta mask? position_ids? -> output mask_index? embedding_sum?",
    "epsilon mask_index_type",
  ),
};
