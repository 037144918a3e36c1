import { elementCount, PareError } from "@pare/runtime/format";
import type { Granularity } from "./format.js";

/**
 * How a row-major tensor falls into groups of elements that share a scale. Groups are numbered as the scales lie in
 * memory: channels in order, blocks as a row-major tensor of `scaleDims`.
 */
export interface Layout {
  readonly groups: number;
  /** Of the scales, as DequantizeLinear takes them: [], [channels], or the tensor's own with blocks along the axis. */
  readonly scaleDims: readonly number[];
  /** Product of the dims before the axis. */
  readonly outer: number;
  /** Of the axis; 1 where one scale is for all. */
  readonly length: number;
  /** Product of the dims behind the axis. */
  readonly inner: number;
  /** Neighbours along the axis in one block, the last of which may be short; undefined where a group is no block. */
  readonly block: number | undefined;
}

/** @throws PareError INTERNAL for an axis that the tensor does not have, or blocks of less than one element */
export function layoutOf(dims: readonly number[], granularity: Granularity): Layout {
  const count = elementCount(dims);
  if (granularity.kind === "tensor")
    return { groups: 1, scaleDims: [], outer: 1, length: 1, inner: count, block: undefined };
  const { axis } = granularity;
  const length = dims[axis];
  if (length === undefined)
    throw new PareError("INTERNAL", `A tensor of rank ${dims.length} has no axis ${axis}.`);
  const outer = elementCount(dims.slice(0, axis));
  const inner = elementCount(dims.slice(axis + 1));
  if (granularity.kind === "channel")
    return { groups: length, scaleDims: [length], outer, length, inner, block: undefined };
  const { size } = granularity;
  if (!(size >= 1)) throw new PareError("INTERNAL", `A block cannot have ${size} elements.`);
  const blocks = Math.ceil(length / size);
  const scaleDims = dims.map((dim, at) => (at === axis ? blocks : dim));
  return { groups: outer * blocks * inner, scaleDims, outer, length, inner, block: size };
}

/**
 * Calls back with runs of consecutive elements, from `start` to before `end`. The first is of `group`; of each element
 * after it the group is `step` further: 0, or 1 where neighbours are of different groups. Runs are as long as they can
 * be, so that the loops over their elements are what takes the time.
 */
export function forEachRun(
  { outer, length, inner, block }: Layout,
  visit: (start: number, end: number, group: number, step: 0 | 1) => void,
): void {
  if (block === undefined) {
    if (inner === 1) for (let o = 0; o < outer; o += 1) visit(o * length, (o + 1) * length, 0, 1);
    else {
      for (let o = 0; o < outer; o += 1) {
        for (let c = 0; c < length; c += 1) {
          const start = (o * length + c) * inner;
          visit(start, start + inner, c, 0);
        }
      }
    }
    return;
  }
  const blocks = Math.ceil(length / block);
  for (let o = 0; o < outer; o += 1) {
    if (inner === 1) {
      for (let b = 0; b < blocks; b += 1) {
        const start = o * length + b * block;
        visit(start, o * length + Math.min(length, (b + 1) * block), o * blocks + b, 0);
      }
    } else {
      for (let k = 0; k < length; k += 1) {
        const start = (o * length + k) * inner;
        visit(start, start + inner, (o * blocks + Math.floor(k / block)) * inner, 1);
      }
    }
  }
}

/** Groups whose elements are copied at a time, from places that lie side by side. */
const together = 16;

/**
 * Calls back with each group's elements in their order, from `start` to before `end` of an array: of the tensor's own
 * where they lie together, else of a copy that the next groups overwrite.
 */
export function forEachGroup(
  { outer, length, inner, block }: Layout,
  values: Float32Array,
  visit: (elements: Float32Array, start: number, end: number, group: number) => void,
): void {
  const isChannel = block === undefined;
  const blocks = isChannel ? 1 : Math.ceil(length / block);
  // Neighbouring groups are `run` elements apart, in each of the rows, which are `width` apart.
  const [many, run, width] = isChannel ? [length, inner, length * inner] : [inner, 1, inner];
  const mostRows = isChannel ? outer : Math.min(block, length);
  const lieTogether = mostRows === 1 || width === run;
  const most = Math.min(together, many);
  const copy = new Float32Array(lieTogether ? 0 : most * mostRows * run);
  for (let section = 0; section < (isChannel ? 1 : outer * blocks); section += 1) {
    const [o, first] = isChannel
      ? [0, 0]
      : [Math.floor(section / blocks), (section % blocks) * block];
    const rows = isChannel ? outer : Math.min(block, length - first);
    const size = rows * run;
    const start = (o * length + first) * inner;
    for (let g = 0; g < many; g += most) {
      const count = Math.min(most, many - g);
      const from = start + g * run;
      if (!lieTogether) gather(values, from, copy, { count, rows, run, width });
      for (let at = 0; at < count; at += 1) {
        const group = section * many + g + at;
        if (lieTogether) visit(values, from + at * run, from + at * run + size, group);
        else visit(copy, at * size, (at + 1) * size, group);
      }
    }
  }
}

/** Copies groups, one after the other: runs of a row lie side by side. */
function gather(
  values: Float32Array,
  start: number,
  copy: Float32Array,
  { count, rows, run, width }: { count: number; rows: number; run: number; width: number },
): void {
  for (let row = 0; row < rows; row += 1)
    for (let g = 0; g < count; g += 1) {
      const from = start + row * width + g * run;
      const to = (g * rows + row) * run;
      for (let i = 0; i < run; i += 1) copy[to + i] = values[from + i] as number;
    }
}
