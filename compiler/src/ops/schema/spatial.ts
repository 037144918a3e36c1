import { operator } from "./operator.js";

export const spatialSchemas = {
  AffineGrid: operator("theta size -> grid", "align_corners"),
  CenterCropPad: operator("input_data shape -> output_data", "axes"),
  Col2Im: operator("input image_shape block_shape -> output", "dilations pads strides"),
  DeformConv: operator(
    "X W offset B? mask? -> Y",
    "dilations group kernel_shape offset_group pads strides",
  ),
  MaxUnpool: operator("X I output_shape? -> output", "kernel_shape pads strides"),
  RoiAlign: operator(
    "X rois batch_indices -> Y",
    "coordinate_transformation_mode mode output_height output_width sampling_ratio spatial_scale",
  ),
};
