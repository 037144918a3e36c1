import { operator } from "./operator.js";

/** ONNX's own (of opset 23), and what onnxruntime fuses attention into. */
export const attentionSchemas = {
  Attention: operator(
    "Q K V attn_mask? past_key? past_value? -> Y present_key? present_value? qk_matmul_output?",
    "is_causal kv_num_heads q_num_heads qk_matmul_output_mode scale softcap softmax_precision",
  ),
  "com.microsoft::Attention": operator(
    "input weights bias? mask_index? past? attention_bias? past_sequence_length? -> output present?",
    "do_rotary mask_filter_value num_heads past_present_share_buffer qkv_hidden_sizes rotary_embedding_dim scale unidirectional",
  ),
  "com.microsoft::MultiHeadAttention": operator(
    "query key? value? bias? key_padding_mask? attention_bias? past_key? past_value? past_sequence_length? cache_indirection? -> output present_key? present_value? qk?",
    "mask_filter_value num_heads scale unidirectional",
  ),
  "com.microsoft::GroupQueryAttention": operator(
    "query key? value? past_key? past_value? seqlens_k total_sequence_length cos_cache? sin_cache? position_ids? attention_bias? head_sink? -> output present_key? present_value? output_qk?",
    "do_rotary k_quant_type kv_cache_bit_width kv_num_heads local_window_size num_heads qk_output rotary_interleaved scale smooth_softmax softcap v_quant_type",
  ),
  "com.microsoft::RotaryEmbedding": operator(
    "input position_ids cos_cache sin_cache -> output",
    "interleaved is_packed_batching num_heads rotary_embedding_dim scale",
  ),
};
