import { operator } from "./operator.js";

export const softmaxSchemas = {
  Softmax: operator("input -> output", "axis"),
  LogSoftmax: operator("input -> output", "axis"),
  Hardmax: operator("input -> output", "axis"),
};
