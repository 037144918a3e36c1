import { type Dim, dim, tensorType } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { keepsAxes } from "../families/reduction.js";
import { smaller } from "../families/symbolic.js";
import type { Every } from "../schema/cells.js";
import type { selectionSchemas } from "../schema/selection.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

const argument: ShapeRule = (context) => {
  const shape = context.shape(0);
  if (shape === undefined) return tensorOf("int64", undefined);
  const axis = normalAxis(context.attributes.int("axis", 0), shape.length);
  const keep = keepsAxes(context.attributes);
  return tensorOf(
    "int64",
    shape.flatMap((size, at) => (at !== axis ? [size] : keep ? [1] : [])),
  );
};

export const selectionShapes: Every<typeof selectionSchemas, ShapeRule> = {
  ArgMax: argument,
  ArgMin: argument,
  CumSum: sameAsInput,
  TopK(context) {
    const shape = context.shape(0);
    if (shape === undefined)
      return [
        { type: tensorType(context.dtype(0), undefined) },
        { type: tensorType("int64", undefined) },
      ];
    const axis = normalAxis(context.attributes.int("axis", -1), shape.length);
    const k: Dim = context.elements(1)?.[0] ?? context.attributes.int("k") ?? dim.unknown();
    const found = shape.map((size, at) => (at === axis ? smaller(k, size) : size));
    return [{ type: tensorType(context.dtype(0), found) }, { type: tensorType("int64", found) }];
  },
};
