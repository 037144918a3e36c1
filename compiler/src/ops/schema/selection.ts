import { operator } from "./operator.js";

export const selectionSchemas = {
  ArgMax: operator("data -> reduced", "axis keepdims select_last_index"),
  ArgMin: operator("data -> reduced", "axis keepdims select_last_index"),
  CumSum: operator("x axis -> y", "exclusive reverse"),
  TopK: operator("X K -> Values Indices", "axis largest sorted"),
};
