import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { normalAxis } from "../../ops/families/indexing.js";
import { cut } from "../../ops/families/slice.js";
import { evaluateNode } from "../../ops/index.js";
import { atMost } from "../kernels/at-most.js";
import { floatBytes } from "../kernels/kernel.js";
import { placeAt } from "../plan/plan.js";
import { orderOf, rowMajor, sliced } from "../plan/view.js";
import { alongAxes, combinations, piecesOf, viewOfMoved } from "./offsets-by-axis.js";
import { heldTypes } from "./element-of-type.js";
import type { Lowering } from "./lowering.js";
import type { LoweringRow } from "./lowering-row.js";
import { planMove } from "./move.js";
import type { NodeFacts } from "./node-facts.js";
import { movedRows } from "./row-rules.js";

/** Where so many elements come from is looked at one by one. */
export const mostMoved = 2 ** 24;

/** What moves elements by where they lie: which, its reference tells, asked about their numbers. */
export const movementRow: LoweringRow = {
  rows: movedRows,
  types: heldTypes,
  refuse(node) {
    const isOpen = node.node.inputs.some((id, at) => at > 0 && id !== null && !node.isConstant(at));
    if (isOpen) return "indices, sizes and the like must be constant";
    const counts = [node.dims(0), node.outputDims()].map(elementCount);
    return counts.some((count) => count > mostMoved) && partsTaken(node) === undefined
      ? `more than ${mostMoved} elements are not moved`
      : undefined;
  },
  lower(node, l) {
    const parts = partsTaken(node);
    if (parts !== undefined) {
      const view = l.view(node.required(0));
      const part = parts.reduce((whole, { axis, start, count }) => sliced(whole, axis, start, count), view); // prettier-ignore
      l.set(node.output(), part);
    } else if (!moveByAxes(node, l)) throw node.fault("moves elements in no order by axis");
    if (l.findsRows(node.node)) countFirst(node, l);
  },
};

interface Part {
  readonly axis: number;
  readonly start: number;
  readonly count: number;
}

/** What a slice takes along its axes, where it takes all from one element to another. */
function partsTaken(node: NodeFacts): readonly Part[] | undefined {
  const [starts, ends] = [node.numbers(1), node.numbers(2)];
  if (node.node.op !== "Slice" || starts === undefined || ends === undefined) return undefined;
  const axes = node.input(3) === undefined ? rowMajor(starts.length) : node.numbers(3);
  const steps = node.input(4) === undefined ? [] : node.numbers(4);
  if (axes === undefined || steps?.every((step) => step === 1) !== true) return undefined;
  const dims = node.dims(0);
  return axes.map((given, at) => {
    const axis = normalAxis(given, dims.length);
    const { start, count } = cut(axis, dims[axis] ?? 0, starts[at] ?? 0, ends[at] ?? 0, 1);
    return { axis, start: Number(start), count: Number(count) };
  });
}

/** The first few rows are as many, or all that there are. */
function countFirst(node: NodeFacts, l: Lowering): void {
  const [all, most] = [l.rows(node.required(0)), node.outputDims()];
  if (all === undefined) throw node.fault("takes the first of rows that are not counted");
  const count = l.plan.memory(floatBytes, "count");
  l.plan.step(atMost, { most: most[all.axis] ?? 0 }, [all.count, count], true);
  l.count(node.node.id, l.view(node.output()).place.in, count);
}

/** Plans what moves elements, each axis of the result by itself. @returns whether it is so */
export function moveByAxes(node: NodeFacts, l: Lowering): boolean {
  const view = l.view(node.required(0));
  const found = evaluateNode(node.graph, node.node, numbered(node, l)) ?? [];
  return node.node.outputs.every((id, at) => {
    const result = found[at];
    if (id === null) return true;
    if (result === null || result === undefined) throw node.fault("has no reference evaluation");
    const dims = l.dims(id);
    const indices = result.data as Int32Array;
    const along = alongAxes(view, indices, dims);
    if (along === undefined) return false;
    const { base, axes } = along;
    // Backwards they are copied: kernels address forward from where a pointer is.
    const steps = axes.flatMap((one) => (typeof one === "number" && one >= 0 ? [one] : []));
    if (steps.length === axes.length) {
      l.set(id, viewOfMoved(view, indices, dims, base, steps));
      return true;
    }
    const order = dims.length === view.dims.length ? orderOf(l.laned(view)) : rowMajor(dims.length);
    const pieces = axes.map((one, axis) => piecesOf(one, dims[axis] ?? 1));
    // What pads lanes is written with the last of them.
    const exact = (pieces[order.at(-1) ?? 0]?.length ?? 1) > 1;
    const target = l.allocate(id, order, exact ? { exact } : {});
    for (const box of combinations(pieces)) {
      const part = box.reduce(
        (whole, { start, count }, axis) => sliced(whole, axis, start, count),
        target,
      );
      const first = box.reduce((sum, piece) => sum + piece.base, base);
      planMove(
        l.plan,
        placeAt(view.place, first),
        box.map(({ along: own }) => own),
        part,
      );
    }
    return true;
  });
}

/** The node's inputs, with the first one's elements replaced by their numbers. */
function numbered(node: NodeFacts, l: Lowering): readonly (Dense | null)[] {
  return node.node.inputs.map((id, at): Dense | null => {
    if (id === null) return null;
    if (at === 0) {
      const { type } = node.graph.value(id);
      const dims = type.kind === "tensor" ? (type.shape ?? []).map(Number) : [];
      const data = new Int32Array(elementCount(dims)).map((_, i) => i);
      return { type: "int32", dims, data };
    }
    const constant = node.graph.constant(id);
    const data = l.array(id);
    return constant === undefined || data === undefined
      ? null
      : { type: constant.dtype, dims: constant.dims, data };
  });
}
