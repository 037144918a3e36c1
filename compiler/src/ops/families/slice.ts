import { type Dim, dim } from "../../ir/index.js";
import { isNonNegative } from "./bounds.js";
import { sourceIndices, stridesOf } from "./indexing.js";
import type { Movement } from "./movement.js";
import { larger, smaller } from "./symbolic.js";

/** Beyond this a bound means "to the end": exporters write the largest int32 or int64. Of a free axis 10⁹ does, as JAX's writes. */
const endless = 2 ** 31 - 1;
const endlessOfFree = 1e9;

/** One axis of a slice: the start and the number of elements. */
export interface Cut {
  readonly axis: number;
  readonly start: Dim;
  readonly step: number;
  readonly count: Dim;
}

/**
 * Where a bound falls on an axis of `size`: negative ones count from the end, all are held between the ends. Where its sign
 * depends on sizes, as that of −N does where N may be 0, no more is known than that it is not below the lower end.
 */
function bound(value: Dim, size: Dim, low: Dim, high: Dim): Dim {
  const beyond = typeof size === "number" ? endless : endlessOfFree;
  if (typeof value === "number" && value >= beyond) return high;
  if (typeof value === "number" && value <= -beyond) return low;
  const isFromEnd = isNonNegative(dim.subtract(-1, value));
  if (!isFromEnd && !isNonNegative(value)) return dim.add(low, dim.unknown());
  return smaller(larger(isFromEnd ? dim.add(value, size) : value, low), high);
}

/** Engines take the largest integers for "to the end" backwards too (onnxruntime 1.30), where the specification has the least. */
function backwardEnd(end: Dim, size: Dim, last: Dim): Dim {
  const isLargest = end === endless || (typeof end === "number" && end >= 2 ** 62);
  return isLargest ? -1 : bound(end, size, -1, last);
}

export function cut(axis: number, size: Dim, start: Dim, end: Dim, step: number): Cut {
  if (typeof size !== "number" && !isNonNegative(size)) {
    // A size is never negative, even where its expression could be.
    const opaque = dim.unknown();
    const back = new Map([...dim.symbolsOf(opaque)].map((name) => [name, size]));
    const found = cut(axis, opaque, start, end, step);
    return {
      ...found,
      start: dim.substitute(found.start, back),
      count: dim.substitute(found.count, back),
    };
  }
  const last = dim.subtract(size, 1);
  const from = step > 0 ? bound(start, size, 0, size) : bound(start, size, 0, last);
  const to = step > 0 ? bound(end, size, 0, size) : backwardEnd(end, size, last);
  const span = step > 0 ? dim.subtract(to, from) : dim.subtract(from, to);
  return { axis, start: from, step, count: dim.ceilDiv(larger(span, 0), Math.abs(step)) };
}

export function sliced(dims: readonly number[], cuts: readonly Cut[]): Movement {
  const strides = stridesOf(dims);
  const parts = dims.map((size, axis) => {
    const found = cuts.find((candidate) => candidate.axis === axis);
    const [start, step, count] =
      found === undefined ? [0, 1, size] : [Number(found.start), found.step, Number(found.count)];
    return Array.from({ length: count }, (_, i) => (start + i * step) * (strides[axis] ?? 1));
  });
  return { dims: parts.map((part) => part.length), indices: sourceIndices(parts) };
}
