import type { Cells } from "../schema/schemas.js";

/** The attribute that says, as ONNX's code, which dtype the result has. Left out, the operator's own default holds. */
export const outputDtype: Cells<string> = {
  Cast: "to",
  EyeLike: "dtype",
  RandomNormal: "dtype",
  RandomUniform: "dtype",
  RandomNormalLike: "dtype",
  RandomUniformLike: "dtype",
  Bernoulli: "dtype",
  Multinomial: "dtype",
  HannWindow: "output_datatype",
  HammingWindow: "output_datatype",
  BlackmanWindow: "output_datatype",
  MelWeightMatrix: "output_datatype",
  QuantizeLinear: "output_dtype",
  DequantizeLinear: "output_dtype",
};
