import type { Some } from "../schema/cells.js";
import type { creationSchemas } from "../schema/creation.js";
import type { Gradient } from "./gradient.js";

export const creationGradients: Some<typeof creationSchemas, Gradient> = {
  Constant: "none",
  ConstantOfShape: "none",
  NonZero: "none",
  EyeLike: "none",
};
