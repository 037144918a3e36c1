import type { Cells } from "../schema/schemas.js";

/** About half of what is negative is cut or bent away, so that what passes has half of the variance: He and others, 2015. */
export const rectifier: Cells<true> = {
  Relu: true,
  LeakyRelu: true,
  PRelu: true,
  ThresholdedRelu: true,
  Clip: true,
  Elu: true,
  Selu: true,
  Celu: true,
  Gelu: true,
  HardSwish: true,
  Mish: true,
  Softplus: true,
};
