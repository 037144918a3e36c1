import { type Dim, dim } from "../../ir/index.js";
import { larger, smaller } from "../families/symbolic.js";
import type { Every } from "../schema/cells.js";
import type { variadicSchemas } from "../schema/variadic.js";
import { combine } from "./combine.js";
import { broadcastInputs, sameAsInput, tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

/** All operands broadcast; `dims` joins the integers of two shapes. */
function following(dims?: (x: Dim, y: Dim) => Dim): ShapeRule {
  return (context) => {
    const dtype = context.dtype(0);
    const shape = broadcastInputs(context);
    const two = context.node.inputs.length === 2 && dims !== undefined && dtype !== undefined;
    return tensorOf(dtype, shape, two ? combine(context, 2, shape, dims) : undefined);
  };
}

export const variadicShapes: Every<typeof variadicSchemas, ShapeRule> = {
  Max: following((x, y) => larger(x, y)),
  Min: following((x, y) => smaller(x, y)),
  Sum: following((x, y) => dim.add(x, y)),
  Mean: following(),
  Clip: sameAsInput,
};
