import type { AttributeReader } from "../schema/attributes.js";
import type { Cells } from "../schema/schemas.js";

/**
 * What an operator does when a model goes from float32 to float16: "stays" in float32, or does by its attributes, or
 * gives only its first `outputs` in float16. One without a cell goes with all that it reads and gives, as far as is known.
 */
export type Float16 =
  | "stays"
  | { readonly outputs: number }
  | { readonly stays: (attributes: AttributeReader) => boolean };

/** onnxruntime loads one that adds up in float16, and refuses to run it. */
const whereItReduces: Float16 = {
  stays: (attributes) => attributes.string("reduction", "none") !== "none",
};

/**
 * What onnxruntime's converter (float16.py, DEFAULT_OP_BLOCK_LIST) blocks and is known here; Resize; those whose
 * floats are scales; Celu, which ONNX has in float32 alone; Einsum, of which no engine was asked; and what makes and reads
 * spectra, which onnxruntime has in no other type.
 */
export const float16: Cells<Float16> = {
  BlackmanWindow: "stays",
  Celu: "stays",
  CumSum: "stays",
  DFT: "stays",
  DequantizeLinear: "stays",
  DynamicQuantizeLinear: "stays",
  Einsum: "stays",
  HammingWindow: "stays",
  HannWindow: "stays",
  Max: "stays",
  MelWeightMatrix: "stays",
  Min: "stays",
  NonMaxSuppression: "stays",
  OneHot: "stays",
  QLinearConv: "stays",
  QLinearMatMul: "stays",
  QuantizeLinear: "stays",
  RandomNormalLike: "stays",
  RandomUniformLike: "stays",
  Range: "stays",
  Resize: "stays",
  RoiAlign: "stays",
  STFT: "stays",
  ScatterElements: whereItReduces,
  ScatterND: whereItReduces,
  TopK: "stays",
  // Mean and inverse deviation are kept in float32.
  LayerNormalization: { outputs: 1 },
};
