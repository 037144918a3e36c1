import { operator } from "./operator.js";

export const scatterSchemas = {
  ScatterElements: operator("data indices updates -> output", "axis reduction"),
  Scatter: operator("data indices updates -> output", "axis"),
  ScatterND: operator("data indices updates -> output", "reduction"),
  OneHot: operator("indices depth values -> output", "axis"),
};
