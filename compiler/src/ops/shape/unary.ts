import { type Dim, dim } from "../../ir/index.js";
import { isNonNegative } from "../families/bounds.js";
import { isEqual, larger } from "../families/symbolic.js";
import type { Every } from "../schema/cells.js";
import type { unarySchemas } from "../schema/unary.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

/** As the input; `dims` works on the integers of shapes, and gives undefined where the result is not known. */
function following(dims: (x: Dim) => Dim | undefined): ShapeRule {
  return (context) => {
    const results = context.elements(0)?.map(dims);
    const elements = results?.every((value) => value !== undefined) ? results : undefined;
    return tensorOf(context.dtype(0), context.shape(0), elements);
  };
}

const truth: ShapeRule = (context) => tensorOf("bool", context.shape(0));
/** Integers are whole already. */
const whole = following((x) => x);

export const unaryShapes: Every<typeof unarySchemas, ShapeRule> = {
  Abs: following((x) => (isNonNegative(x) ? x : undefined)),
  Neg: following((x) => dim.multiply(-1, x)),
  Sign: sameAsInput,
  Floor: whole,
  Ceil: whole,
  Round: whole,
  Sqrt: sameAsInput,
  Exp: sameAsInput,
  Log: sameAsInput,
  Reciprocal: sameAsInput,
  Erf: sameAsInput,
  Sin: sameAsInput,
  Cos: sameAsInput,
  Tan: sameAsInput,
  Asin: sameAsInput,
  Acos: sameAsInput,
  Atan: sameAsInput,
  Sinh: sameAsInput,
  Cosh: sameAsInput,
  Tanh: sameAsInput,
  Asinh: sameAsInput,
  Acosh: sameAsInput,
  Atanh: sameAsInput,
  Relu: following((x) => larger(x, 0)),
  LeakyRelu: sameAsInput,
  ThresholdedRelu: sameAsInput,
  Elu: sameAsInput,
  Selu: sameAsInput,
  Celu: sameAsInput,
  Softplus: sameAsInput,
  Softsign: sameAsInput,
  Sigmoid: sameAsInput,
  HardSigmoid: sameAsInput,
  HardSwish: sameAsInput,
  Mish: sameAsInput,
  Gelu: sameAsInput,
  Shrink: sameAsInput,
  BitwiseNot: sameAsInput,
  Not: following((x) => isEqual(x, 0)),
  IsNaN: truth,
  IsInf: truth,
};
