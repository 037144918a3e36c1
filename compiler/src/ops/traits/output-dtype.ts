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
};
