import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { beyond, padding, type Taps, tapsOf, windowAxes } from "../families/window.js";
import type { Some } from "../schema/cells.js";
import type { poolingSchemas } from "../schema/pooling.js";
import type { Evaluation } from "./evaluation.js";

/** The position of a row-major position when the last two axes are swapped in memory. */
function columnMajor(at: number, sizes: readonly number[]): number {
  const width = sizes.at(-1) ?? 1;
  const height = sizes.at(-2) ?? 1;
  const within = at % (width * height);
  return at - within + (within % width) * height + Math.floor(within / width);
}

/** A mean or norm over each window: `fold` of the elements, then `end` of that and how many counted. */
function pool(
  x: Dense,
  dims: readonly number[],
  { indices, windows, taps }: Taps,
  countPadding: boolean,
  fold: (sum: number, value: number) => number,
  end: (sum: number, count: number) => number,
): Dense {
  const from = unpackNumbers(x);
  const plane = elementCount(x.dims.slice(2));
  const values = new Float64Array(elementCount(dims));
  values.forEach((_, i) => {
    let sum = 0;
    let count = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const index = indices[(i % windows) * taps + tap] ?? beyond;
      if (index >= 0) sum = fold(sum, from[Math.floor(i / windows) * plane + index] ?? 0);
      if (index >= 0 || (countPadding && index === padding)) count += 1;
    }
    values[i] = end(sum, count);
  });
  return denseOf(x.type, dims, values);
}

/** One window over everything. */
function overAll(
  start: number,
  fold: (sum: number, value: number) => number,
  end: (sum: number, count: number) => number,
): Evaluation {
  return ({ input }) => {
    const x = input(0);
    const from = unpackNumbers(x);
    const dims = x.dims.map((size, axis) => (axis < 2 ? size : 1));
    const plane = elementCount(x.dims.slice(2));
    const values = Float64Array.from({ length: elementCount(dims) }, (_, i) => {
      let sum = start;
      for (let at = 0; at < plane; at += 1) sum = fold(sum, from[i * plane + at] ?? 0);
      return end(sum, plane);
    });
    return [denseOf(x.type, dims, values)];
  };
}

export const poolingReferences: Some<typeof poolingSchemas, Evaluation> = {
  MaxPool({ input, attributes: given, outputs }) {
    const x = input(0);
    const sizes = x.dims.slice(2);
    const axes = windowAxes(sizes, given.ints("kernel_shape") ?? [], given);
    const dims = [...x.dims.slice(0, 2), ...axes.map((axis) => Number(axis.output))];
    const from = unpackNumbers(x);
    const { indices, windows, taps } = tapsOf(axes);
    const plane = elementCount(sizes);
    const best = new Float64Array(elementCount(dims)).fill(-1);
    best.forEach((_, i) => {
      const start = Math.floor(i / windows) * plane;
      const first = (i % windows) * taps;
      for (let tap = first; tap < first + taps; tap += 1) {
        const index = indices[tap] ?? 0;
        const held = best[i] ?? -1;
        if (index >= 0 && (held < 0 || (from[start + index] ?? 0) > (from[held] ?? 0)))
          best[i] = start + index;
      }
    });
    const y = denseOf(
      x.type,
      dims,
      best.map((at) => from[at] ?? -Infinity),
    );
    if (outputs < 2) return [y];
    const columns = given.int("storage_order", 0) === 1;
    return [y, denseOf("int64", dims, columns ? best.map((at) => columnMajor(at, sizes)) : best)];
  },
  AveragePool({ input, attributes: given }) {
    const x = input(0);
    const axes = windowAxes(x.dims.slice(2), given.ints("kernel_shape") ?? [], given);
    const dims = [...x.dims.slice(0, 2), ...axes.map((axis) => Number(axis.output))];
    const countPadding = given.int("count_include_pad", 0) !== 0;
    return [
      pool(
        x,
        dims,
        tapsOf(axes),
        countPadding,
        (sum, value) => sum + value,
        (sum, count) => sum / count,
      ),
    ];
  },
  LpPool({ input, attributes: given }) {
    const x = input(0);
    const axes = windowAxes(x.dims.slice(2), given.ints("kernel_shape") ?? [], given);
    const dims = [...x.dims.slice(0, 2), ...axes.map((axis) => Number(axis.output))];
    const p = given.int("p", 2);
    return [
      pool(
        x,
        dims,
        tapsOf(axes),
        false,
        (sum, value) => sum + Math.abs(value) ** p,
        (sum) => sum ** (1 / p),
      ),
    ];
  },
  GlobalAveragePool: overAll(
    0,
    (sum, value) => sum + value,
    (sum, count) => sum / count,
  ),
  GlobalMaxPool: overAll(
    -Infinity,
    (sum, value) => Math.max(sum, value),
    (sum) => sum,
  ),
};
