import type { Cells } from "../schema/schemas.js";

/**
 * ONNX says what they are in other operators, and onnxruntime has no kernel of theirs in float64: it runs those others, up to opset
 * 18 alone (probed on 1.30).
 */
export const saidInDoubles: Cells<true> = {
  Elu: true,
  HardSigmoid: true,
  HardSwish: true,
  LeakyRelu: true,
  Mish: true,
  Selu: true,
  Softplus: true,
  Softsign: true,
};
