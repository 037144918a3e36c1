import type { Cells } from "../schema/schemas.js";

/**
 * With which factors, one for each channel of its first input, an operator commutes, f(s · x) = s · f(x): "any" (it is
 * linear), or "positive" (it is positively homogeneous: whatever the slope, a LeakyRelu looks at signs alone). Where
 * the channels come to lie is told by `ops/channels`.
 */
export type Scaling = "any" | "positive";

export const scaling: Cells<Scaling> = {
  Identity: "any",
  Neg: "any",
  Dropout: "any",
  AveragePool: "any",
  GlobalAveragePool: "any",
  Transpose: "any",
  Reshape: "any",
  Flatten: "any",
  Squeeze: "any",
  Unsqueeze: "any",
  Abs: "positive",
  Relu: "positive",
  LeakyRelu: "positive",
  PRelu: "positive",
  MaxPool: "positive",
  GlobalMaxPool: "positive",
  LpPool: "positive",
};
