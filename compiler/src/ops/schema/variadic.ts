import { operator } from "./operator.js";

export const variadicSchemas = {
  Max: operator("data_0 more... -> result"),
  Min: operator("data_0 more... -> result"),
  Sum: operator("data_0 more... -> result"),
  Mean: operator("data_0 more... -> result"),
  Clip: operator("input min? max? -> output"),
};
