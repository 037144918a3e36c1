import { operator } from "./operator.js";

export const gatherSchemas = {
  Gather: operator("data indices -> output", "axis"),
  GatherElements: operator("data indices -> output", "axis"),
  GatherND: operator("data indices -> output", "batch_dims"),
  Compress: operator("input condition -> output", "axis"),
};
