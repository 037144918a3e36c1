import { operator } from "./operator.js";

export const detectionSchemas = {
  NonMaxSuppression: operator(
    "boxes scores max_output_boxes_per_class? iou_threshold? score_threshold? -> selected_indices",
    "center_point_box",
  ),
};
