import { placeAt } from "../plan/plan.js";
import { sizeAt, sliced, stepAt, type View, viewOf } from "../plan/view.js";
import type { Along } from "./move.js";

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
export function alongAxes(
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
export function piecesOf(along: Along, size: number): readonly Piece[] {
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
export function combinations(pieces: readonly (readonly Piece[])[]): readonly (readonly Piece[])[] {
  return pieces.reduce<readonly (readonly Piece[])[]>(
    (boxes, own) => boxes.flatMap((box) => own.map((piece) => [...box, piece])),
    [[]],
  );
}

/** A result whose elements can stay where they are. A part of the source keeps what surrounds it. */
export function viewOfMoved(
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
