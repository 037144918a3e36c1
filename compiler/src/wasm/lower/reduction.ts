import type { ValueId } from "../../ir/index.js";
import type { Fold } from "../kernels/fold.js";
import { floatBytes, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { reduce } from "../kernels/reduce.js";
import { reduceLanes } from "../kernels/reduce-lanes.js";
import type { Unary } from "../kernels/unary.js";
import { orderOf, rowMajor, sizeAt, stepAt, type View } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";

interface Reduction {
  readonly fold: Fold;
  readonly after: (count: number) => readonly Unary[];
}

const reductions: Readonly<Record<string, Reduction>> = {
  ReduceSum: { fold: "sum", after: () => [] },
  ReduceMean: { fold: "sum", after: (count) => [{ kind: "scale", by: 1 / count }] },
  ReduceMax: { fold: "max", after: () => [] },
  ReduceMin: { fold: "min", after: () => [] },
  ReduceSumSquare: { fold: "sum-of-squares", after: () => [] },
  ReduceL1: { fold: "sum-of-sizes", after: () => [] },
  ReduceL2: { fold: "sum-of-squares", after: () => [{ kind: "square-root" }] },
};

export const reductionRow: LoweringRow = {
  refuse(node) {
    const isGiven = node.input(1) !== undefined;
    return isGiven && node.numbers(1) === undefined ? "its axes must be constant" : undefined;
  },
  lower(node, l) {
    const x = l.laned(l.view(node.required(0)));
    const reduced = reducedAxes(node, x.dims.length);
    const { fold, after } = reductions[node.node.op] ?? { fold: "sum", after: () => [] };
    const unaries = after(reduced.reduce((product, axis) => product * sizeAt(x, axis), 1));
    if (reduced.includes(x.lanes)) alongLanes(l, node.output(), x, reduced, fold, unaries);
    else acrossLanes(l, node.output(), x, reduced, fold, unaries);
  },
};

function reducedAxes(node: NodeFacts, rank: number): readonly number[] {
  const given = node.numbers(1) ?? [];
  if (given.length > 0) return given.map((axis) => (axis < 0 ? axis + rank : axis));
  return node.attributes.int("noop_with_empty_axes", 0) !== 0 ? [] : rowMajor(rank);
}

/** Memory for the result with its reduced axes kept as one element each, and under its own dims. */
function resultOf(
  l: Lowering,
  id: ValueId,
  kept: readonly number[],
  order: readonly number[],
  whole: boolean,
): View {
  if (kept.join() === l.dims(id).join())
    return l.allocate(id, order, whole ? { whole } : { exact: true });
  const result = l.temporary(kept, { order, padded: whole, halo: [] }, "reduced");
  l.setReshaped(id, result);
  return result;
}

function keptDims(x: View, reduced: readonly number[]): readonly number[] {
  return x.dims.map((size, axis) => (reduced.includes(axis) ? 1 : size));
}

function keptAxes(x: View, y: View, order: readonly number[], reduced: readonly number[]): Axis[] {
  return order
    .filter((axis) => !reduced.includes(axis))
    .map((axis) => ({ count: sizeAt(x, axis), steps: [stepAt(x, axis), stepAt(y, axis)] }));
}

function tapAxes(x: View, order: readonly number[], reduced: readonly number[]): Axis[] {
  return order
    .filter((axis) => reduced.includes(axis))
    .map((axis) => ({ count: sizeAt(x, axis), steps: [stepAt(x, axis)] }));
}

function alongLanes(
  l: Lowering,
  id: ValueId,
  x: View,
  reduced: readonly number[],
  fold: Fold,
  after: readonly Unary[],
): void {
  const order = orderOf(x);
  const y = resultOf(l, id, keptDims(x, reduced), rowMajor(x.dims.length), false);
  const taps = collapsed(tapAxes(x, order, reduced));
  // Lanes are the innermost; those of a single element were left out.
  const last = taps.at(-1);
  const isRun = last?.steps[0] === floatBytes;
  l.plan.step(
    reduceLanes,
    {
      axes: collapsed(keptAxes(x, y, order, reduced)),
      taps: isRun ? taps.slice(0, -1) : taps,
      lanes: isRun ? last.count : 1,
      fold,
      after,
    },
    [x.place, y.place],
  );
}

function acrossLanes(
  l: Lowering,
  id: ValueId,
  view: View,
  reduced: readonly number[],
  fold: Fold,
  after: readonly Unary[],
): void {
  const x = l.withLanes(view, view.lanes, true);
  const order = orderOf(x);
  const y = resultOf(l, id, keptDims(x, reduced), order, true);
  const outer = order.filter((axis) => axis !== x.lanes);
  const vectors = { count: vectorsOf(sizeAt(x, x.lanes)), steps: [vectorBytes, vectorBytes] };
  l.plan.step(
    reduce,
    {
      axes: collapsed([...keptAxes(x, y, outer, reduced), vectors]),
      taps: collapsed(tapAxes(x, outer, reduced)),
      fold,
      after,
    },
    [x.place, y.place],
  );
}
