import { operator } from "./operator.js";

export const reshapeSchemas = {
  Identity: operator("input -> output"),
  Shape: operator("data -> shape", "start end"),
  Size: operator("data -> size"),
  Reshape: operator("data shape -> reshaped", "allowzero"),
  Squeeze: operator("data axes? -> squeezed"),
  Unsqueeze: operator("data axes -> expanded"),
  Flatten: operator("input -> output", "axis"),
  Expand: operator("input shape -> output"),
};
