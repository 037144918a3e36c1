import { type Dtype, elementCount } from "@pare/runtime/format";
import { type Dim, dim, product } from "../../ir/index.js";
import {
  isFloat,
  isWide,
  limitsOf,
  type NumberArray,
  pack,
  unpack,
  workingArray,
} from "../elements/arrays.js";
import { normalAxis, sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { givenNumbers, isAbsent, numbersOf, tensorOf } from "../shape/inferred.js";
import type { EvaluateContext, InferContext, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { larger, smaller } from "../families/symbolic.js";

/** A fold: result = end(Σ step), started from `start`. */
interface Reduction {
  readonly start: number;
  readonly step: (sum: number, x: number) => number;
  readonly end?: (sum: number, count: number) => number;
  /** For 64-bit integers; the empty fold then gives `start`, or 0 where that is infinite. */
  readonly wide: (sum: bigint, x: bigint) => bigint;
  /** On the integers of shapes. */
  readonly dims?: (sum: Dim, x: Dim) => Dim;
}

function reductionRow(name: string, reduction: Reduction): OperatorRow {
  return {
    name,
    domain: "",
    inputs: parameters("data", "axes?"),
    outputs: parameters("reduced"),
    attributes: ["keepdims", "noop_with_empty_axes"],
    infer(context) {
      const shape = reducedShape(context);
      const elements = context.elements(0);
      const { dims } = reduction;
      const whole = shape !== undefined && product(shape) === 1 && (elements?.length ?? 0) > 0;
      const folded = whole && dims !== undefined ? elements?.reduce(dims) : undefined;
      return tensorOf(context.dtype(0), shape, folded === undefined ? undefined : [folded]);
    },
    evaluate(context) {
      const x = context.input(0);
      const { dims, targets } = reductionPlan(context);
      const { start, step, end, wide } = reduction;
      const from = unpack(x);
      const count = elementCount(dims);
      const to = workingArray(x.type, count);
      if (isWide(from)) {
        // A reduction without axes still folds each element alone: a sum of squares squares it.
        const sums: (bigint | undefined)[] = Array.from({ length: count });
        from.forEach((value, i) => {
          const at = targets[i] ?? 0;
          const sum = sums[at];
          sums[at] = wide(sum ?? (Number.isFinite(start) ? BigInt(start) : value), value);
        });
        const per = count === 0 ? 0 : from.length / count;
        sums.forEach((sum, at) => {
          const value = sum ?? (Number.isFinite(start) ? BigInt(start) : 0n);
          to[at] = end === undefined ? value : BigInt(Math.trunc(end(Number(value), per)));
        });
      } else {
        const sums = new Float64Array(count).fill(start);
        for (let i = 0; i < from.length; i += 1) {
          const at = targets[i] ?? 0;
          sums[at] = step(sums[at] ?? 0, from[i] ?? 0);
        }
        const per = count === 0 ? 0 : from.length / count;
        const clamp = limits(x.type);
        sums.forEach((sum, at) => {
          (to as NumberArray)[at] = clamp(end === undefined ? sum : end(sum, per));
        });
      }
      return [pack(x.type, dims, to)];
    },
  };
}

/** An integer type has no infinity: the maximum of nothing is its lowest number. */
function limits(dtype: Dtype): (value: number) => number {
  if (isFloat(dtype)) return (value) => value;
  const [low, high] = limitsOf(dtype);
  return (value) => Math.max(low, Math.min(high, value));
}

function reducedShape(context: InferContext): readonly Dim[] | undefined {
  const shape = context.shape(0);
  const { attributes } = context;
  const keep = attributes.int("keepdims", 1) !== 0;
  const given = isAbsent(context, 1, "axes") ? [] : numbersOf(context, 1, "axes");
  if (shape === undefined) return undefined;
  if (given === undefined) return keep ? shape.map(() => dim.unknown()) : undefined;
  if (given.length === 0 && attributes.int("noop_with_empty_axes", 0) !== 0) return shape;
  return withoutAxes(shape, given.length === 0 ? undefined : given, keep);
}

/** A shape whose axes (all where not given) became 1, or were dropped. */
function withoutAxes(
  shape: readonly Dim[],
  axes: readonly number[] | undefined,
  keep: boolean,
): readonly Dim[] {
  const reduced = new Set(axes?.map((axis) => normalAxis(axis, shape.length)) ?? shape.keys());
  return shape.flatMap((size, axis) => (!reduced.has(axis) ? [size] : keep ? [1] : []));
}

interface Plan {
  readonly dims: readonly number[];
  /** For every element of the input, where in the result it goes. */
  readonly targets: Int32Array;
}

function reductionPlan(context: EvaluateContext): Plan {
  const { attributes } = context;
  const { dims } = context.input(0);
  const keep = attributes.int("keepdims", 1) !== 0;
  const given = givenNumbers(context, 1, "axes") ?? [];
  const isNoop = given.length === 0 && attributes.int("noop_with_empty_axes", 0) !== 0;
  const axes = isNoop
    ? []
    : given.length === 0
      ? [...dims.keys()]
      : given.map((axis) => normalAxis(axis, dims.length));
  const kept = withoutAxes(dims, axes, true).map(Number);
  const strides = stridesOf(kept);
  const targets = sourceIndices(
    dims.map((size, axis) => steps(size, axes.includes(axis) ? 0 : (strides[axis] ?? 0))),
  );
  return { dims: withoutAxes(dims, axes, keep).map(Number), targets };
}

const sum: Reduction = {
  start: 0,
  step: (s, x) => s + x,
  wide: (s, x) => s + x,
  dims: (s, x) => dim.add(s, x),
};
const squares: Reduction = { start: 0, step: (s, x) => s + x * x, wide: (s, x) => s + x * x };
const sizes: Reduction = {
  start: 0,
  step: (s, x) => s + Math.abs(x),
  wide: (s, x) => s + (x < 0n ? -x : x),
};

const sumExp = reductionRow("ReduceLogSumExp", {
  start: 0,
  step: (s, x) => s + Math.exp(x),
  end: Math.log,
  wide: (s, x) => s + x,
});

/** log Σ eˣ, with the largest x taken out so that nothing overflows. */
const logSumExpRow: OperatorRow = {
  ...sumExp,
  evaluate(context) {
    const x = context.input(0);
    const from = unpack(x);
    if (isWide(from)) return sumExp.evaluate?.(context) ?? [];
    const { dims, targets } = reductionPlan(context);
    const largest = new Float64Array(elementCount(dims)).fill(-Infinity);
    from.forEach(
      (value, i) => (largest[targets[i] ?? 0] = Math.max(largest[targets[i] ?? 0] ?? 0, value)),
    );
    const offsets = largest.map((value) => (Number.isFinite(value) ? value : 0));
    const sums = new Float64Array(largest.length);
    from.forEach((value, i) => {
      const at = targets[i] ?? 0;
      sums[at] = (sums[at] ?? 0) + Math.exp(value - (offsets[at] ?? 0));
    });
    const to = workingArray(x.type, sums.length) as NumberArray;
    sums.forEach((total, at) => (to[at] = Math.log(total) + (offsets[at] ?? 0)));
    return [pack(x.type, dims, to)];
  },
};

export const reductionRows: readonly OperatorRow[] = [
  reductionRow("ReduceSum", sum),
  reductionRow("ReduceMean", {
    start: 0,
    step: sum.step,
    wide: sum.wide,
    end: (s, count) => s / count,
  }),
  reductionRow("ReduceProd", {
    start: 1,
    step: (s, x) => s * x,
    wide: (s, x) => s * x,
    dims: (s, x) => dim.multiply(s, x),
  }),
  reductionRow("ReduceMax", {
    start: -Infinity,
    step: Math.max,
    wide: (s, x) => (x > s ? x : s),
    dims: (s, x) => larger(s, x),
  }),
  reductionRow("ReduceMin", {
    start: Infinity,
    step: Math.min,
    wide: (s, x) => (x < s ? x : s),
    dims: (s, x) => smaller(s, x),
  }),
  reductionRow("ReduceSumSquare", squares),
  reductionRow("ReduceL1", sizes),
  reductionRow("ReduceL2", { ...squares, end: Math.sqrt }),
  reductionRow("ReduceLogSum", {
    start: 0,
    step: (s, x) => s + x,
    end: Math.log,
    wide: (s, x) => s + x,
  }),
  logSumExpRow,
];
