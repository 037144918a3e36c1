import type { Dtype } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { isNoReduction } from "../../ops/families/reduction.js";
import type { Fold } from "../kernels/fold.js";
import { type IntegerFold, integerFold } from "../kernels/integer-fold.js";
import { floatBytes, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { reduce } from "../kernels/reduce.js";
import { reduceLanes } from "../kernels/reduce-lanes.js";
import { dividedBy, type Unary } from "../kernels/unary.js";
import { orderOf, rowMajor, sizeAt, stepAt, type View } from "../plan/view.js";
import { dtypeOf, type NodeFacts } from "./node-facts.js";
import type { LoweringRow } from "./lowering-row.js";
import { besideRows } from "./row-rules.js";
import type { Lowering } from "./lowering.js";
import { writeWhole } from "./write-whole.js";

interface Reduction {
  readonly fold: Fold;
  readonly after: (count: number) => readonly Unary[];
}

const reductions: Readonly<Record<string, Reduction>> = {
  ReduceSum: { fold: "sum", after: () => [] },
  ReduceMean: { fold: "sum", after: (count) => [dividedBy(count)] },
  ReduceMax: { fold: "max", after: () => [] },
  ReduceMin: { fold: "min", after: () => [] },
  ReduceProd: { fold: "product", after: () => [] },
  ReduceSumSquare: { fold: "sum-of-squares", after: () => [] },
  ReduceL1: { fold: "sum-of-sizes", after: () => [] },
  ReduceL2: { fold: "sum-of-squares", after: () => [{ kind: "square-root" }] },
};

const integerFolds: Readonly<Record<string, IntegerFold>> = {
  ReduceSum: "sum",
  ReduceMean: "mean",
  ReduceMax: "max",
  ReduceMin: "min",
  ReduceProd: "product",
};

const numbers: readonly Dtype[] = ["float32", "int32", "int64"];

export function refuseAxes(node: NodeFacts): string | undefined {
  const isGiven = node.input(1) !== undefined;
  return isGiven && node.numbers(1) === undefined ? "its axes must be constant" : undefined;
}

export const reductionRow: LoweringRow = {
  rows: besideRows,
  types: numbers,
  refuse(node) {
    const isOfFloats = dtypeOf(node.graph, node.output()) === "float32";
    if (!isOfFloats && integerFolds[node.node.op] === undefined)
      return "it is compiled for floats alone";
    return refuseAxes(node);
  },
  lower(node, l) {
    const id = node.output();
    const x = l.view(node.required(0));
    const reduced = reducedAxes(node, x.dims.length);
    if (x.element !== "f32") return foldIntegers(l, id, x, reduced, node.entryOf(integerFolds));
    const { fold, after } = node.entryOf(reductions);
    const unaries = after(reduced.reduce((product, axis) => product * sizeAt(x, axis), 1));
    reduceInto(l, x, reduced, fold, unaries, (order, whole) =>
      resultOf(l, id, keptDims(x, reduced), order, whole),
    );
  },
};

export function reducedAxes(node: NodeFacts, rank: number): readonly number[] {
  const given = node.numbers(1) ?? [];
  if (given.length > 0) return given.map((axis) => normalAxis(axis, rank));
  return isNoReduction(node.attributes) ? [] : rowMajor(rank);
}

/** Memory for the result with its reduced axes kept as one element each, and under its own dims. */
export function resultOf(
  l: Lowering,
  id: ValueId,
  kept: readonly number[],
  order: readonly number[],
  whole: boolean,
): View {
  if (kept.join() === l.dims(id).join())
    return l.allocate(id, order, whole ? { whole } : { exact: true });
  return l.allocateAs(id, kept, order, whole);
}

export function keptDims(x: View, reduced: readonly number[]): readonly number[] {
  return x.dims.map((size, axis) => (reduced.includes(axis) ? 1 : size));
}

/** A fold of floats in memory of its own, its reduced axes kept as one element each. */
export function reducedView(
  l: Lowering,
  x: View,
  reduced: readonly number[],
  fold: Fold,
  after: readonly Unary[],
): View {
  return reduceInto(l, x, reduced, fold, after, (order, padded) =>
    l.temporary(keptDims(x, reduced), { order, padded, halo: [] }, "reduced"),
  );
}

/** Gives memory for a result; `whole` where whole vectors are written. */
type MemoryFor = (order: readonly number[], whole: boolean) => View;

function reduceInto(
  l: Lowering,
  view: View,
  reduced: readonly number[],
  fold: Fold,
  after: readonly Unary[],
  memory: MemoryFor,
): View {
  const x = l.laned(view);
  return reduced.includes(x.lanes)
    ? alongLanes(l, x, reduced, fold, after, memory)
    : acrossLanes(l, x, reduced, fold, after, memory);
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
  x: View,
  reduced: readonly number[],
  fold: Fold,
  after: readonly Unary[],
  memory: MemoryFor,
): View {
  const order = orderOf(x);
  const y = memory(rowMajor(x.dims.length), false);
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
  return y;
}

function acrossLanes(
  l: Lowering,
  view: View,
  reduced: readonly number[],
  fold: Fold,
  after: readonly Unary[],
  memory: MemoryFor,
): View {
  const x = l.withLanes(view, view.lanes, true);
  const order = orderOf(x);
  const outer = order.filter((axis) => axis !== x.lanes);
  const vectors = { count: vectorsOf(sizeAt(x, x.lanes)), steps: [vectorBytes, vectorBytes] };
  return writeWhole(l, memory(order, true), order, (y) =>
    l.plan.step(
      reduce,
      {
        axes: collapsed([...keptAxes(x, y, outer, reduced), vectors]),
        taps: collapsed(tapAxes(x, outer, reduced)),
        fold,
        after,
      },
      [x.place, y.place],
    ),
  );
}

function foldIntegers(
  l: Lowering,
  id: ValueId,
  x: View,
  reduced: readonly number[],
  fold: IntegerFold,
): void {
  const order = rowMajor(x.dims.length);
  const y = resultOf(l, id, keptDims(x, reduced), order, false);
  const options = {
    element: x.element === "i64" ? ("i64" as const) : ("i32" as const),
    axes: collapsed(keptAxes(x, y, order, reduced)),
    taps: collapsed(tapAxes(x, order, reduced)),
    fold,
  };
  l.plan.step(integerFold, options, [x.place, y.place]);
}
