import type { Dim } from "../../ir/index.js";
import { isEqual, isLess } from "../families/symbolic.js";
import type { Every } from "../schema/cells.js";
import type { logicalSchemas } from "../schema/logical.js";
import { combine } from "./combine.js";
import { broadcastInputs, tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

/** Both operands broadcast; `dims` tells 1, 0 or, where it depends on sizes, undefined. */
function truth(dims: (x: Dim, y: Dim) => Dim | undefined): ShapeRule {
  return (context) => {
    const shape = broadcastInputs(context, 2);
    return tensorOf("bool", shape, combine(context, 2, shape, dims));
  };
}

const flipped = (value: Dim | undefined): Dim | undefined =>
  value === undefined ? undefined : value === 0 ? 1 : 0;
const both = (x: Dim, y: Dim): Dim | undefined =>
  x === 0 || y === 0 ? 0 : x === 1 && y === 1 ? 1 : undefined;
const either = (x: Dim, y: Dim): Dim | undefined =>
  x === 1 || y === 1 ? 1 : x === 0 && y === 0 ? 0 : undefined;

export const logicalShapes: Every<typeof logicalSchemas, ShapeRule> = {
  Equal: truth(isEqual),
  Less: truth(isLess),
  Greater: truth((x, y) => isLess(y, x)),
  LessOrEqual: truth((x, y) => flipped(isLess(y, x))),
  GreaterOrEqual: truth((x, y) => flipped(isLess(x, y))),
  And: truth(both),
  Or: truth(either),
  Xor: truth((x, y) => flipped(isEqual(x, y))),
  Where(context) {
    const shape = broadcastInputs(context, 3);
    const elements = combine(context, 3, shape, (condition, x, y) =>
      condition === 1 ? x : condition === 0 ? y : x === y ? x : undefined,
    );
    return tensorOf(context.dtype(1) ?? context.dtype(2), shape, elements);
  },
};
