import { type Dim, dim, product } from "../../ir/index.js";
import { keepsAxes, reducedAxes, withoutAxes } from "../families/reduction.js";
import { larger, smaller } from "../families/symbolic.js";
import type { Every } from "../schema/cells.js";
import type { reductionSchemas } from "../schema/reduction.js";
import { isAbsent, numbersOf, tensorOf } from "./inferred.js";
import { isItself } from "./integers.js";
import type { InferContext, ShapeRule } from "./rule.js";

function reducedShape(context: InferContext): readonly Dim[] | undefined {
  const shape = context.shape(0);
  const { attributes } = context;
  const keep = keepsAxes(attributes);
  const given = isAbsent(context, 1, "axes") ? [] : numbersOf(context, 1, "axes");
  if (shape === undefined) return undefined;
  if (given === undefined) return keep ? shape.map(() => dim.unknown()) : undefined;
  return withoutAxes(shape, reducedAxes(attributes, given, shape.length), keep);
}

/** `dims` folds the integers of a shape, where all become one. */
function folding(dims: (sum: Dim, x: Dim) => Dim): ShapeRule {
  return (context) => {
    const shape = reducedShape(context);
    const elements = context.elements(0);
    const whole = shape !== undefined && product(shape) === 1 && (elements?.length ?? 0) > 0;
    const folded = whole && elements?.every(isItself) === true ? elements.reduce(dims) : undefined;
    return tensorOf(context.dtype(0), shape, folded === undefined ? undefined : [folded]);
  };
}

const reduced: ShapeRule = (context) => tensorOf(context.dtype(0), reducedShape(context));

export const reductionShapes: Every<typeof reductionSchemas, ShapeRule> = {
  ReduceSum: folding((s, x) => dim.add(s, x)),
  ReduceMean: reduced,
  ReduceProd: folding((s, x) => dim.multiply(s, x)),
  ReduceMax: folding((s, x) => larger(s, x)),
  ReduceMin: folding((s, x) => smaller(s, x)),
  ReduceSumSquare: reduced,
  ReduceL1: reduced,
  ReduceL2: reduced,
  ReduceLogSum: reduced,
  ReduceLogSumExp: reduced,
};
