import { operator } from "./operator.js";

export const padSchemas = {
  Pad: operator("data pads constant_value? axes? -> output", "mode"),
};
