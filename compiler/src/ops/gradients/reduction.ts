import { elementCount } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { isNoReduction } from "../families/reduction.js";
import type { Some } from "../schema/cells.js";
import type { reductionSchemas } from "../schema/reduction.js";
import type { Backward } from "./backward.js";
import type { Emitter } from "./emitter.js";
import type { Gradient, GradientRule } from "./gradient.js";

/** A reduction, with its axes kept as 1, so that what it gave can be broadcast over x. */
interface Reduced {
  readonly emit: Emitter;
  readonly x: ValueId;
  readonly y: ValueId;
  readonly dY: ValueId;
  readonly axes: readonly number[];
  /** How many elements became one. */
  readonly count: number;
}

/** From what each element of x gets; it is expanded to x where it is the same along the axes. */
function reduction(gradient: (reduced: Reduced) => ValueId): GradientRule {
  return (backward) => {
    const { emit } = backward;
    const dims = backward.dims(0);
    const axes = axesOf(backward, dims.length);
    const kept = dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const reduced: Reduced = {
      emit,
      x: backward.input(0),
      y: emit.reshape(backward.output(0), kept),
      dY: emit.reshape(backward.cotangent(), kept),
      axes,
      count: elementCount(dims) / elementCount(kept),
    };
    return [emit.expand(gradient(reduced), dims)];
  };
}

function axesOf(backward: Backward, rank: number): readonly number[] {
  const given = backward.integers(1) ?? [];
  if (given.length > 0) return given.map((axis) => normalAxis(axis, rank));
  return isNoReduction(backward.attributes) ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** All that are equal to the extremum share its cotangent. */
const extremum = reduction(({ emit, x, y, dY, axes }) => {
  const equal = emit.cast(emit.node("Equal", [x, y]), emit.dtype(x));
  return emit.multiply(equal, emit.divide(dY, emit.sum(equal, axes, true)));
});

/**
 * The product of all others: of those that are not 0, over x; 0 where another one is 0. A product with one 0 in it still
 * varies with that one.
 */
const others = reduction(({ emit, x, dY, axes }) => {
  // No axes would be all of them to the node below.
  if (axes.length === 0) return dY;
  const isZero = emit.compare("Equal", x, 0);
  const zeros = emit.cast(isZero, emit.dtype(x));
  const rest = emit.where(isZero, emit.scalar(1, x), x);
  const product = emit.node("ReduceProd", [rest, emit.integers(axes)]);
  const otherZeros = emit.subtract(emit.sum(zeros, axes, true), zeros);
  const each = emit.multiply(dY, emit.divide(product, rest));
  return emit.masked(each, emit.compare("Equal", otherZeros, 0));
});

export const reductionGradients: Some<typeof reductionSchemas, Gradient> = {
  ReduceSum: reduction(({ dY }) => dY),
  ReduceMean: reduction(({ emit, dY, count }) => emit.scale(dY, 1 / count)),
  ReduceProd: others,
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceSumSquare: reduction(({ emit, x, dY }) => emit.multiply(x, emit.scale(dY, 2))),
  ReduceL1: reduction(({ emit, x, dY }) => emit.multiply(dY, emit.sign(x))),
  // x / |x|, and 0 at 0
  ReduceL2: reduction(({ emit, x, y, dY }) => {
    const norm = emit.where(emit.compare("Equal", y, 0), emit.scalar(1, y), y);
    return emit.multiply(x, emit.divide(dY, norm));
  }),
  ReduceLogSum: reduction(({ emit, y, dY }) =>
    emit.multiply(dY, emit.node("Exp", [emit.negate(y)])),
  ),
  ReduceLogSumExp: reduction(({ emit, x, y, dY }) =>
    emit.multiply(dY, emit.node("Exp", [emit.subtract(x, y)])),
  ),
};
