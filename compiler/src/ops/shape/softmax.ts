import type { Every } from "../schema/cells.js";
import type { softmaxSchemas } from "../schema/softmax.js";
import { sameAsInput } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

export const softmaxShapes: Every<typeof softmaxSchemas, ShapeRule> = {
  Softmax: sameAsInput,
  LogSoftmax: sameAsInput,
  Hardmax: sameAsInput,
};
