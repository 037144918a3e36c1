import { operator } from "./operator.js";

export const sliceSchemas = {
  Slice: operator("data starts ends axes? steps? -> output"),
};
