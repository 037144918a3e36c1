import { operator } from "./operator.js";

export const concatSplitSchemas = {
  Concat: operator("inputs... -> concat_result", "axis"),
  Split: operator("input split? -> outputs...", "axis num_outputs"),
};
