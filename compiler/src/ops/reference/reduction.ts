import { type Dtype, elementCount } from "@pare/runtime/format";
import {
  isFloat,
  isWide,
  limitsOf,
  pack,
  unpack,
  unpackNumbers,
  workingArray,
} from "../elements/arrays.js";
import { sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { keepsAxes, reducedAxes, withoutAxes } from "../families/reduction.js";
import type { Some } from "../schema/cells.js";
import type { reductionSchemas } from "../schema/reduction.js";
import { type EvaluateContext, type Evaluation, givenNumbers } from "./evaluation.js";

/** A fold: result = end(Σ step), started from `start`. */
interface Reduction {
  readonly start: number;
  readonly step: (sum: number, x: number) => number;
  readonly end?: (sum: number, count: number) => number;
  /** For 64-bit integers; the empty fold then gives `start`, or 0 where that is infinite. */
  readonly wide: (sum: bigint, x: bigint) => bigint;
}

/** Folds over the axes. */
function folded(reduction: Reduction): Evaluation {
  return (context) => {
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
        const value = sum ?? BigInt(held(x.type, start));
        to[at] = end === undefined ? value : held(x.type, end(Number(value), per));
      });
    } else {
      const sums = new Float64Array(count).fill(start);
      for (let i = 0; i < from.length; i += 1) {
        const at = targets[i] ?? 0;
        sums[at] = step(sums[at] ?? 0, from[i] ?? 0);
      }
      const per = count === 0 ? 0 : from.length / count;
      sums.forEach((sum, at) => {
        to[at] = held(x.type, end === undefined ? sum : end(sum, per));
      });
    }
    return [pack(x.type, dims, to)];
  };
}

/**
 * A number as a result's dtype holds it. Integers stay between their ends, as onnxruntime's do, which adds them up in doubles:
 * the maximum of nothing is the lowest, and so is what is no number.
 */
function held(dtype: Dtype, value: number): number | bigint {
  if (isFloat(dtype)) return value;
  if (dtype !== "int64" && dtype !== "uint64") {
    const [low, high] = limitsOf(dtype);
    return Number.isNaN(value) ? low : Math.max(low, Math.min(high, value));
  }
  const [low, high] = dtype === "int64" ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  if (Number.isNaN(value) || value <= Number(low)) return low;
  return value >= Number(high) ? high : BigInt(Math.trunc(value));
}

interface Plan {
  readonly dims: readonly number[];
  /** For every element of the input, where in the result it goes. */
  readonly targets: Int32Array;
}

function reductionPlan(context: EvaluateContext): Plan {
  const { attributes } = context;
  const { dims } = context.input(0);
  const keep = keepsAxes(attributes);
  const axes = reducedAxes(attributes, givenNumbers(context, 1, "axes") ?? [], dims.length);
  const kept = withoutAxes(dims, axes, true).map(Number);
  const strides = stridesOf(kept);
  const targets = sourceIndices(
    dims.map((size, axis) => steps(size, axes.includes(axis) ? 0 : (strides[axis] ?? 0))),
  );
  return { dims: withoutAxes(dims, axes, keep).map(Number), targets };
}

const sum: Reduction = { start: 0, step: (s, x) => s + x, wide: (s, x) => s + x };
const squares: Reduction = { start: 0, step: (s, x) => s + x * x, wide: (s, x) => s + x * x };
const sizes: Reduction = {
  start: 0,
  step: (s, x) => s + Math.abs(x),
  wide: (s, x) => s + (x < 0n ? -x : x),
};

export const reductionReferences: Some<typeof reductionSchemas, Evaluation> = {
  ReduceSum: folded(sum),
  ReduceMean: folded({ ...sum, end: (s, count) => s / count }),
  // Held to 64 bits at each step: the product of many would have as many digits as all of them together.
  ReduceProd: folded({
    start: 1,
    step: (s, x) => s * x,
    wide: (s, x) => BigInt.asIntN(64, s * x),
  }),
  ReduceMax: folded({ start: -Infinity, step: Math.max, wide: (s, x) => (x > s ? x : s) }),
  ReduceMin: folded({ start: Infinity, step: Math.min, wide: (s, x) => (x < s ? x : s) }),
  ReduceSumSquare: folded(squares),
  ReduceL1: folded(sizes),
  ReduceL2: folded({ ...squares, end: Math.sqrt }),
  ReduceLogSum: folded({ ...sum, end: Math.log }),
  /** log Σ eˣ, with the largest x taken out so that nothing overflows. */
  ReduceLogSumExp(context) {
    const x = context.input(0);
    const from = unpackNumbers(x);
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
    const to = workingArray(x.type, sums.length);
    sums.forEach((total, at) => (to[at] = held(x.type, Math.log(total) + (offsets[at] ?? 0))));
    return [pack(x.type, dims, to)];
  },
};
