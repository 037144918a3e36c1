import { operator } from "./operator.js";

export const window = "auto_pad dilations group kernel_shape pads strides";

export const convolutionSchemas = {
  Conv: operator("X W B? -> Y", window),
  ConvInteger: operator("x w x_zero_point? w_zero_point? -> y", window),
  QLinearConv: operator(
    "x x_scale x_zero_point w w_scale w_zero_point y_scale y_zero_point B? -> y",
    window,
  ),
  /** A convolution, Z added, and an activation. */
  ConvTranspose: operator("X W B? -> Y", `${window} output_padding output_shape`),
};
