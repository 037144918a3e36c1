import { operator } from "./operator.js";

const window = "auto_pad ceil_mode dilations kernel_shape pads strides";

export const poolingSchemas = {
  MaxPool: operator("X -> Y Indices?", `${window} storage_order`),
  AveragePool: operator("X -> Y", `${window} count_include_pad`),
  LpPool: operator("X -> Y", `${window} p`),
  GlobalAveragePool: operator("X -> Y"),
  GlobalMaxPool: operator("X -> Y"),
};
