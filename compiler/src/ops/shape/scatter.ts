import type { Dtype } from "@pare/runtime/format";
import { dim } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { Every } from "../schema/cells.js";
import type { scatterSchemas } from "../schema/scatter.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

export const scatterShapes: Every<typeof scatterSchemas, ShapeRule> = {
  ScatterElements: sameAsInput,
  Scatter: sameAsInput,
  ScatterND: sameAsInput,
  OneHot(context) {
    const dtype: Dtype | undefined = context.dtype(2);
    const shape = context.shape(0);
    if (shape === undefined) return tensorOf(dtype, undefined);
    const axis = normalAxis(context.attributes.int("axis", -1), shape.length + 1);
    const depth = context.elements(1)?.[0] ?? dim.unknown();
    return tensorOf(dtype, [...shape.slice(0, axis), depth, ...shape.slice(axis)]);
  },
};
