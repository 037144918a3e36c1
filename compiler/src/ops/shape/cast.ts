import type { Dtype } from "@pare/runtime/format";
import { type Dim, dtypeOfCode, isStatic } from "../../ir/index.js";
import type { castSchemas } from "../schema/cast.js";
import type { Every } from "../schema/cells.js";
import { tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

/** The integers that survive a cast: those that the dtype holds exactly. */
function castElements(
  elements: readonly Dim[] | undefined,
  to: Dtype | undefined,
): readonly Dim[] | undefined {
  if (elements === undefined) return undefined;
  switch (to) {
    case "int64":
    case "int32":
    case "float64":
      return elements;
    case "float32":
      return elements.every((value) => typeof value !== "number" || Math.abs(value) <= 2 ** 24)
        ? elements
        : undefined;
    case "bool":
      return isStatic(elements) ? elements.map((value) => (value === 0 ? 0 : 1)) : undefined;
    default:
      return undefined;
  }
}

export const castShapes: Every<typeof castSchemas, ShapeRule> = {
  Cast(context) {
    const to = dtypeOfCode(context.attributes.int("to"));
    return tensorOf(to, context.shape(0), castElements(context.elements(0), to));
  },
  CastLike(context) {
    const to = context.dtype(1);
    return tensorOf(to, context.shape(0), castElements(context.elements(0), to));
  },
};
