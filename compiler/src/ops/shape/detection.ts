import { dim } from "../../ir/index.js";
import type { Every } from "../schema/cells.js";
import type { detectionSchemas } from "../schema/detection.js";
import { tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

export const detectionShapes: Every<typeof detectionSchemas, ShapeRule> = {
  NonMaxSuppression: () => tensorOf("int64", [dim.unknown(), 3]),
};
