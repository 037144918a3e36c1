import { operator } from "./operator.js";

export const creationSchemas = {
  Constant: operator(
    "-> output",
    "value sparse_value value_float value_floats value_int value_ints value_string value_strings",
  ),
  ConstantOfShape: operator("input -> output", "value"),
  Range: operator("start limit delta -> output"),
  NonZero: operator("X -> Y"),
  EyeLike: operator("input -> output", "dtype k"),
};
