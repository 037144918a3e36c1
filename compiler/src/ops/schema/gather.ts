import { operator } from "./operator.js";

export const gatherSchemas = {
  Gather: operator("data indices -> output", "axis"),
  GatherElements: operator("data indices -> output", "axis"),
  GatherND: operator("data indices -> output", "batch_dims"),
  /** Of a table of few bits in blocks, as floats. */
  "com.microsoft::GatherBlockQuantized": operator(
    "data indices scales zero_points? -> output",
    "bits block_size gather_axis quantize_axis",
  ),
  Compress: operator("input condition -> output", "axis"),
};
