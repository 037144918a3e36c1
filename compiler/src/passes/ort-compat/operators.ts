import type { Range } from "../../quantize/scale.js";

/** What onnxruntime's Python quantizer does with an operator in QDQ form. */
export type Handling =
  /** Its weights become integers, its activation and its result are rounded. */
  | "weights"
  /** It goes, where it follows alone what is rounded. */
  | "removed"
  /** Where its input is rounded, its results are, with the input's parameters. */
  | "shares"
  /** All that it reads and its first result are rounded; of "first-input", the first input alone. */
  | "all-inputs"
  | "first-input";

/** The operators of ai.onnx that `quantize_static` takes at its defaults (quantization/registry.py). */
export const handling: ReadonlyMap<string, Handling> = new Map<string, Handling>([
  ["Conv", "weights"],
  ["ConvTranspose", "weights"],
  ["Gemm", "weights"],
  ["MatMul", "weights"],
  ["Clip", "removed"],
  ["Relu", "removed"],
  ["AveragePool", "shares"],
  ["Flatten", "shares"],
  ["Gather", "shares"],
  ["GatherElements", "shares"],
  ["MaxPool", "shares"],
  ["Pad", "shares"],
  ["Reshape", "shares"],
  ["Resize", "shares"],
  ["Slice", "shares"],
  ["Split", "shares"],
  ["Squeeze", "shares"],
  ["TopK", "shares"],
  ["Transpose", "shares"],
  ["Unsqueeze", "shares"],
  ["Add", "all-inputs"],
  ["Concat", "all-inputs"],
  ["CumSum", "all-inputs"],
  ["GlobalAveragePool", "all-inputs"],
  ["LeakyRelu", "all-inputs"],
  ["Mul", "all-inputs"],
  ["Sigmoid", "all-inputs"],
  ["Softmax", "all-inputs"],
  ["BatchNormalization", "first-input"],
  ["InstanceNormalization", "first-input"],
  ["LayerNormalization", "first-input"],
]);

/** Of an operator's result, whatever calibration saw (`adjust_tensor_ranges`): its kernel counts in 256 parts of 1. */
export const given: ReadonlyMap<string, Range> = new Map([["Softmax", { min: 0, max: 1 }]]);
