import type { Some } from "../schema/cells.js";
import type { detectionSchemas } from "../schema/detection.js";
import type { Gradient } from "./gradient.js";

export const detectionGradients: Some<typeof detectionSchemas, Gradient> = {
  NonMaxSuppression: "none",
};
