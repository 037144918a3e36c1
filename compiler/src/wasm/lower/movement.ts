import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { evenParts } from "../../ops/families/concat-split.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { cut } from "../../ops/families/slice.js";
import { evaluateNode } from "../../ops/index.js";
import { atMost } from "../kernels/at-most.js";
import { elementBytes } from "../kernels/element.js";
import { floatBytes } from "../kernels/kernel.js";
import { zeroRest } from "../kernels/zero-rest.js";
import { type Place, placeAt } from "../plan/plan.js";
import {
  orderOf,
  permuted,
  rowMajor,
  sizeAt,
  sliced,
  stepAt,
  type View,
  viewOf,
} from "../plan/view.js";
import { heldTypes } from "./element-of-type.js";
import type { LoweringRow } from "./lowering-row.js";
import { besideRows, joinedRows, movedRows, paddedRows, rowsInOrder } from "./row-rules.js";
import type { Rows } from "./rows.js";
import type { Lowering } from "./lowering.js";
import { type Along, planFill, planMove } from "./move.js";
import type { NodeFacts } from "./node-facts.js";

/** The same elements under other dims. */
export const reshapeRow: LoweringRow = {
  rows: rowsInOrder,
  types: heldTypes,
  lower(node, l) {
    const id = node.required(0);
    l.setReshaped(node.output(), l.pending(id) ?? l.view(id));
  },
};

export const identityRow: LoweringRow = {
  rows: besideRows,
  types: heldTypes,
  lower(node, l) {
    l.set(node.output(), l.view(node.required(0)));
  },
};

export const transposeRow: LoweringRow = {
  rows: besideRows,
  types: heldTypes,
  lower(node, l) {
    const view = l.view(node.required(0));
    const backwards = [...rowMajor(view.dims.length)].reverse();
    l.set(node.output(), permuted(view, node.attributes.ints("perm") ?? backwards));
  },
};

export const splitRow: LoweringRow = {
  rows: besideRows,
  types: heldTypes,
  refuse: (node) =>
    node.input(1) !== undefined && !node.isConstant(1) && node.node.outputs.includes(null)
      ? "sizes of parts that are left out must be constant"
      : undefined,
  lower(node, l) {
    const view = l.view(node.required(0));
    const axis = normalAxis(node.attributes.int("axis", 0), view.dims.length);
    const { outputs } = node.node;
    const parts = node.attributes.int("num_outputs", outputs.length);
    const sizes =
      node.numbers(1) ??
      node.attributes.ints("split") ??
      evenParts(sizeAt(view, axis), outputs.length, parts).map(Number);
    let start = 0;
    for (const [at, id] of outputs.entries()) {
      // What nobody asked for is a part as well.
      const size = (id === null ? sizes[at] : node.outputDims(at)[axis]) ?? 0;
      if (id !== null) l.set(id, sliced(view, axis, start, size));
      start += size;
    }
  },
};

/** Inputs that were written where they belong are there; others are copied. */
export const concatRow: LoweringRow = {
  rows: joinedRows,
  types: heldTypes,
  lower(node, l) {
    const id = node.output();
    const known = l.joined(id);
    const [first] = node.inputs.filter((input) => !l.isConstant(input));
    const order =
      first === undefined ? rowMajor(l.dims(id).length) : orderOf(l.laned(l.view(first)));
    const target = known ?? l.allocate(id, order);
    const axis = normalAxis(node.attributes.int("axis", 0), target.dims.length);
    let [start, isPadded] = [0, true];
    for (const [at, input] of node.inputs.entries()) {
      const view = l.view(input);
      const part = sliced(target, axis, start, sizeAt(view, axis));
      const isThere = view.place.in === part.place.in && view.place.offset === part.place.offset;
      if (!isThere) planMove(l.plan, view.place, view.steps, part);
      // What pads the lanes is written where every part did so; along the lanes the last alone has any.
      const hasPadding = axis !== target.lanes || at === node.inputs.length - 1;
      if (hasPadding) isPadded &&= (isThere ? view : part).padded;
      start += sizeAt(view, axis);
    }
    l.set(id, { ...target, padded: target.padded && isPadded });
  },
};

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

/** Offsets from `base` of elements in row-major order, each the sum of what is listed along its axes. */
function offsetsAlong(base: number, lists: readonly (readonly number[])[]): Int32Array {
  let offsets = Int32Array.of(base);
  for (const list of lists) {
    const further = new Int32Array(offsets.length * list.length);
    let at = 0;
    for (const offset of offsets) for (const own of list) further[at++] = offset + own;
    offsets = further;
  }
  return offsets;
}

/**
 * Offsets of a result's elements in the source as a sum over its axes: a step where they are equally far apart, else a
 * list. Undefined where they are no such sum.
 */
function alongAxes(
  view: View,
  indices: Int32Array,
  dims: readonly number[],
): { readonly base: number; readonly axes: readonly Along[] } | undefined {
  const sources = offsetsAlong(
    0,
    view.dims.map((_, axis) =>
      Array.from({ length: sizeAt(view, axis) }, (_element, i) => i * stepAt(view, axis)),
    ),
  );
  const offsetOf = (element: number): number => sources[indices[element] ?? 0] ?? 0;
  const base = offsetOf(0);
  let stride = indices.length;
  const lists = dims.map((size) => {
    stride /= size;
    return Array.from({ length: size }, (_, i) => offsetOf(i * stride) - base);
  });
  const sums = offsetsAlong(base, lists);
  for (let i = 0; i < indices.length; i += 1) if (sums[i] !== offsetOf(i)) return undefined;
  const axes = lists.map((list): Along => {
    const step = list[1] ?? 0;
    return list.every((offset, i) => offset === i * step) ? step : list;
  });
  return { base, axes };
}

/** Part of an axis of a result. */
interface Piece {
  readonly start: number;
  readonly count: number;
  /** Where its first is in the source, and the others from there. */
  readonly base: number;
  readonly along: Along;
}

/** So many elements at equal steps are better copied as such than listed. */
const leastRun = 32;
/** More of them are one list. */
const mostPieces = 5;

/** What is listed as runs and what is between them: what a mirror shows beside an image is little next to the image. */
function piecesOf(along: Along, size: number): readonly Piece[] {
  const whole = [{ start: 0, count: size, base: 0, along }];
  if (typeof along === "number") return whole;
  const pieces: Piece[] = [];
  const take = (start: number, end: number, step?: number): void => {
    if (end === start) return;
    const base = along[start] ?? 0;
    const own = step ?? along.slice(start, end).map((offset) => offset - base);
    pieces.push({ start, count: end - start, base, along: own });
  };
  let [listed, start] = [0, 0];
  while (start < size) {
    const step = (along[start + 1] ?? 0) - (along[start] ?? 0);
    let end = start + 1;
    while (end < size && (along[end] ?? 0) - (along[end - 1] ?? 0) === step) end += 1;
    if (step >= 0 && end - start >= leastRun) {
      take(listed, start);
      take(start, end, step);
      listed = end;
    }
    start = end;
  }
  take(listed, size);
  return pieces.length > mostPieces ? whole : pieces;
}

/** Each way to take a piece of every axis. */
function combinations(pieces: readonly (readonly Piece[])[]): readonly (readonly Piece[])[] {
  return pieces.reduce<readonly (readonly Piece[])[]>(
    (boxes, own) => boxes.flatMap((box) => own.map((piece) => [...box, piece])),
    [[]],
  );
}

/** A result whose elements can stay where they are. A part of the source keeps what surrounds it. */
function viewOfMoved(
  view: View,
  indices: Int32Array,
  dims: readonly number[],
  base: number,
  steps: readonly number[],
): View {
  // An axis of one element may have a step of 0, as its repetition has: that is no part of it.
  const isPart =
    dims.length === view.dims.length &&
    dims.every(
      (size, axis) =>
        size === 1 || (size <= sizeAt(view, axis) && steps[axis] === stepAt(view, axis)),
    );
  if (isPart) {
    let part = view;
    let rest = indices[0] ?? 0;
    for (let axis = dims.length - 1; axis >= 0; axis -= 1) {
      const start = rest % sizeAt(view, axis);
      rest = Math.floor(rest / sizeAt(view, axis));
      const size = dims[axis] ?? 1;
      if (size !== sizeAt(view, axis)) part = sliced(part, axis, start, size);
    }
    return part;
  }
  return viewOf(placeAt(view.place, base), dims, steps, { element: view.element });
}

/** A frame of one number around the input; other modes move elements. */
export const padRow: LoweringRow = {
  types: heldTypes,
  endsRows: paddedRows,
  refuse(node) {
    if (node.attributes.string("mode", "constant") !== "constant")
      return movementRow.refuse?.(node);
    const pads = node.numbers(1);
    if (pads === undefined) return "its pads must be constant";
    if (pads.some((size) => size < 0)) return "negative pads are not compiled";
    return node.input(2) !== undefined && !node.isConstant(2)
      ? "the number that it pads with must be constant"
      : undefined;
  },
  lower(node, l) {
    if (node.attributes.string("mode", "constant") !== "constant")
      return movementRow.lower(node, l);
    const rows = l.rows(node.required(0));
    if (rows !== undefined) return padRows(node, rows, l);
    const view = l.laned(l.view(node.required(0)));
    const pads = node.numbers(1) ?? [];
    const rank = view.dims.length;
    const axes = node.numbers(3)?.map((axis) => normalAxis(axis, rank)) ?? rowMajor(rank);
    const target = l.allocate(node.output(), orderOf(view), { exact: true });
    const value = node.input(2);
    planFill(l.plan, target, value === undefined ? 0 : (l.array(value)?.[0] ?? 0));
    let inside = target;
    axes.forEach((axis, at) => {
      inside = sliced(inside, axis, pads[at] ?? 0, sizeAt(view, axis));
    });
    planMove(l.plan, view.place, view.steps, inside);
  },
};

/** As many rows as there may be, of which those that are not there are zeros. */
function padRows(node: NodeFacts, rows: Rows & { readonly count: Place }, l: Lowering): void {
  const view = l.view(node.required(0));
  const dims = node.outputDims();
  const target = l.temporary(
    dims,
    { order: rowMajor(dims.length), padded: false, halo: [] },
    "padded",
    l.element(node.output()),
  );
  const there = Math.min(sizeAt(view, rows.axis), sizeAt(target, rows.axis));
  planMove(l.plan, view.place, view.steps, sliced(target, rows.axis, 0, there));
  const inner = elementCount(dims.slice(rows.axis + 1)) * elementBytes[target.element];
  const options = { bytes: rows.each * inner, all: sizeAt(target, rows.axis) * inner };
  l.plan.step(zeroRest, options, [rows.count, target.place], true);
  l.set(node.output(), target);
}
