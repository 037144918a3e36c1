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
    case "float64":
      return elements;
    case "int32":
      return within(elements, -(2 ** 31), 2 ** 31 - 1);
    case "float32":
      return within(elements, -(2 ** 24), 2 ** 24);
    case "bool":
      return isStatic(elements) ? elements.map((value) => (value === 0 ? 0 : 1)) : undefined;
    default:
      return undefined;
  }
}

function within(elements: readonly Dim[], least: number, most: number): readonly Dim[] | undefined {
  const fits = (value: Dim): boolean =>
    typeof value !== "number" || (value >= least && value <= most);
  return elements.every(fits) ? elements : undefined;
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
