import { operator } from "./operator.js";

export const resizeSchemas = {
  Resize: operator(
    "X roi? scales? sizes? -> Y",
    "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value keep_aspect_ratio_policy mode nearest_mode",
  ),
  GridSample: operator("X grid -> Y", "align_corners mode padding_mode"),
};
