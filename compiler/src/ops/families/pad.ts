import type { Dim } from "../../ir/index.js";
import { normalAxis, sourceIndices, stridesOf } from "./indexing.js";
import type { Movement } from "./movement.js";

/** Where a coordinate outside 0…size−1 reads; −1 for the constant. */
function reflected(at: number, size: number, mode: string): number {
  if (at >= 0 && at < size) return at;
  if (size <= 0) return -1;
  switch (mode) {
    case "edge":
      return at < 0 ? 0 : size - 1;
    case "reflect": {
      if (size === 1) return 0;
      const period = 2 * (size - 1);
      const place = ((at % period) + period) % period;
      return place < size ? place : period - place;
    }
    case "wrap":
      return ((at % size) + size) % size;
    default:
      return -1;
  }
}

interface AxisPad {
  readonly axis: number;
  readonly before: Dim;
  readonly after: Dim;
}

export function padded(dims: readonly number[], pads: readonly AxisPad[], mode: string): Movement {
  const strides = stridesOf(dims);
  const parts = dims.map((size, axis) => {
    const found = pads.find((pad) => pad.axis === axis);
    const before = Number(found?.before ?? 0);
    const after = Number(found?.after ?? 0);
    // What is taken away is not shown again on the other side.
    const [start, end] = [Math.max(0, -before), size - Math.max(0, -after)];
    return Array.from({ length: Math.max(0, size + before + after) }, (_, i) => {
      const at = reflected(i - before - start, end - start, mode);
      return at < 0 ? -1 : (at + start) * (strides[axis] ?? 1);
    });
  });
  return { dims: parts.map((part) => part.length), indices: sourceIndices(parts) };
}

/** As many befores, then as many afters, as there are axes: 0 for those that are not named. */
export function ofAllAxes(
  pads: readonly number[],
  axes: readonly number[],
  rank: number,
): readonly number[] {
  const all = Array.from({ length: 2 * rank }, () => 0);
  for (const { axis, before, after } of byAxis(pads, axes, rank)) {
    all[axis] = Number(before);
    all[axis + rank] = Number(after);
  }
  return all;
}

/** `pads` holds all the befores, then all the afters. */
export function byAxis(
  pads: readonly Dim[],
  axes: readonly number[],
  rank: number,
): readonly AxisPad[] {
  return axes.map((axis, index) => ({
    axis: normalAxis(axis, rank),
    before: pads[index] ?? 0,
    after: pads[index + axes.length] ?? 0,
  }));
}
