import type { Some } from "../schema/cells.js";
import type { reshapeSchemas } from "../schema/reshape.js";
import { unbroadcast } from "./broadcast.js";
import type { Gradient, GradientRule } from "./gradient.js";

/** The same elements in the same order under the input's shape. */
const reshaped: GradientRule = (backward) => [
  backward.emit.reshape(backward.cotangent(), backward.dims(0)),
];

export const reshapeGradients: Some<typeof reshapeSchemas, Gradient> = {
  Identity: (backward) => [backward.cotangent()],
  Reshape: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Flatten: reshaped,
  Expand: (backward) => [unbroadcast(backward.emit, backward.cotangent(), backward.dims(0))],
  Shape: "none",
  Size: "none",
};
