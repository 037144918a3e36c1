import { type Dim, dim } from "../../ir/index.js";
import { isFloat } from "../elements/arrays.js";
import { isNonNegative } from "../families/bounds.js";
import { quotient } from "../families/symbolic.js";
import type { binarySchemas } from "../schema/binary.js";
import type { Every } from "../schema/cells.js";
import { combine } from "./combine.js";
import { broadcastInputs, sameAsInput, tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** Both operands broadcast; `dims` works on the integers of shapes, and gives undefined where the result is not known. */
function following(
  dims?: (x: Dim, y: Dim, float: boolean) => Dim | undefined,
  dtypeOf = ofEither,
): ShapeRule {
  return (context) => {
    const dtype = dtypeOf(context);
    const shape = broadcastInputs(context, 2);
    const elements =
      dims && dtype && combine(context, 2, shape, (x, y) => dims(x, y, isFloat(dtype)));
    return tensorOf(dtype, shape, elements);
  };
}

const ofEither = (context: InferContext) => context.dtype(0) ?? context.dtype(1);
/** An exponent may be of another dtype. */
const ofBase = (context: InferContext) => context.dtype(0);

const broadcast = following();

export const binaryShapes: Every<typeof binarySchemas, ShapeRule> = {
  Add: following((x, y) => dim.add(x, y)),
  Sub: following((x, y) => dim.subtract(x, y)),
  Mul: following((x, y) => dim.multiply(x, y)),
  Div: following((x, y, float) => {
    const result = quotient(x, y);
    return result !== undefined && (!float || dim.multiply(result, y) === x) ? result : undefined;
  }),
  Mod: following((x, y) => (isNonNegative(x) && isNonNegative(y) ? dim.modulo(x, y) : undefined)),
  Pow: following(
    (x, y) =>
      typeof y === "number" && y >= 0 && y <= 8
        ? dim.multiply(...Array.from({ length: y }, () => x))
        : undefined,
    ofBase,
  ),
  PRelu: sameAsInput,
  BitwiseAnd: broadcast,
  BitwiseOr: broadcast,
  BitwiseXor: broadcast,
  BitShift: broadcast,
};
