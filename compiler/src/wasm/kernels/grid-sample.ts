import type { GridSampling } from "../../ops/families/grid-sample.js";
import {
  type Expression,
  f32,
  f32x4,
  floats,
  i32,
  i32Add,
  i32Multiply,
  load,
  loadFloat,
  type Local,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import {
  add,
  both,
  choose,
  floor,
  less,
  lessUnsigned,
  multiply,
  nearest,
  subtract,
  toInteger,
} from "../encode/scalar.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Of every place of a grid, what an image shows there. */
export interface GridSampleOptions extends GridSampling {
  /** Batch, rows and columns of the grid: steps of image, grid, output. */
  readonly axes: readonly Axis[];
  readonly height: number;
  readonly width: number;
  /** From a row of the image to the next, from a column to the next; from x of a place to y. */
  readonly steps: readonly [row: number, column: number, coordinate: number];
  /** Channels of a place, in whole vectors. */
  readonly vectors: number;
}

/** A place of the image beside a point, along one axis. */
interface Beside {
  readonly index: Local<"i32">;
  readonly weight: Local<"f32">;
}

/**
 * Loops: axes › places beside the point › vectors. What lies beyond the image is read from zeros, or from its border, and
 * never from elsewhere, whatever the grid holds. Parameters: image, grid, output, zeros.
 */
export const gridSample: Kernel<GridSampleOptions> = {
  name: "grid-sample",
  emit(options) {
    const { axes, height, width, steps, vectors, mode, padding } = options;
    const f = new FunctionBuilder(4);
    const [image, grid, output, zeros] = [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3)]; // prettier-ignore
    const count = mode === "linear" ? 2 : 1;
    const besideOf = (): readonly Beside[] =>
      Array.from({ length: count }, () => ({ index: f.local("i32"), weight: f.local("f32") }));
    const [columns, rows] = [besideOf(), besideOf()];
    const point = f.local("f32");
    const pointers = Array.from({ length: count * count }, () => f.local("i32"));
    const weights = f.vectors(count * count);
    const sum = f.local("v128");

    const locate = (at: number, size: number, beside: readonly Beside[]): void => {
      const [first, second] = beside;
      if (first === undefined) return;
      f.set(point, placeOf(options, loadFloat(grid, at), size));
      if (second === undefined) f.set(point, nearest(point));
      else f.set(second.weight, subtract(point, floor(point)));
      f.set(first.index, toInteger(second === undefined ? point : floor(point)));
      if (second === undefined) return;
      f.set(first.weight, subtract(f32(1), second.weight));
      f.set(second.index, i32Add(first.index, i32(1)));
    };
    const clamped = ({ index }: Beside, size: number): void => {
      f.set(index, choose(less(index, i32(0)), i32(0), index));
      f.set(index, choose(less(i32(size - 1), index), i32(size - 1), index));
    };
    const addressOf = (row: Beside, column: Beside): Expression<"i32"> => {
      const down = i32Multiply(row.index, i32(steps[0]));
      const within = i32Add(image, i32Add(down, i32Multiply(column.index, i32(steps[1]))));
      if (padding === "border") return within;
      const isInside = both(
        lessUnsigned(row.index, i32(height)),
        lessUnsigned(column.index, i32(width)),
      );
      return choose(isInside, within, zeros);
    };

    nest(f, axes, [image, grid, output], () => {
      locate(0, width, columns);
      locate(steps[2], height, rows);
      if (padding === "border") {
        for (const column of columns) clamped(column, width);
        for (const row of rows) clamped(row, height);
      }
      for (const [at, row] of rows.entries())
        for (const [beside, column] of columns.entries()) {
          const [pointer, weight] = [pointers[at * count + beside], weights[at * count + beside]];
          if (pointer === undefined || weight === undefined) continue;
          f.set(pointer, addressOf(row, column));
          if (count > 1) f.set(weight, f32x4.splat(multiply(row.weight, column.weight)));
        }
      const moving = [output, ...pointers];
      const [written = 0] = nest(
        f,
        [{ count: vectors, steps: moving.map(() => vectorBytes) }],
        moving,
        () => {
          // prettier-ignore
          f.set(sum, floats(0));
          for (const [at, pointer] of pointers.entries()) {
            const weight = weights[at];
            if (weight === undefined || count === 1) f.set(sum, load(pointer));
            else f.set(sum, f32x4.add(sum, f32x4.multiply(load(pointer), weight)));
          }
          f.store(output, 0, sum);
        },
      );
      return [0, 0, written];
    });
    return f;
  },

  reference(options, { floats: memory }, at) {
    const { axes, height, width, steps, vectors, mode, padding, aligned } = options;
    const [, , , zeros = 0] = at;
    const floatAt = (address: number): number => memory[address / floatBytes] ?? 0;
    const besideOf = (coordinate: number, size: number) => {
      const place = Math.fround(aligned ? ((coordinate + 1) / 2) * (size - 1) : ((coordinate + 1) * size - 1) / 2); // prettier-ignore
      const first = mode === "linear" ? Math.floor(place) : halfToEven(place);
      const share = mode === "linear" ? place - first : 0;
      const all = [
        { index: first, weight: 1 - share },
        { index: first + 1, weight: share },
      ].slice(0, mode === "linear" ? 2 : 1);
      if (padding === "zeros") return all;
      return all.map(({ index, weight }) => ({ index: Math.min(Math.max(index, 0), size - 1), weight })); // prettier-ignore
    };
    walk(axes, at.slice(0, 3), ([image = 0, grid = 0, output = 0]) => {
      const columns = besideOf(floatAt(grid), width);
      const rows = besideOf(floatAt(grid + steps[2]), height);
      for (let lane = 0; lane < vectors * laneCount; lane += 1) {
        let sum = 0;
        for (const row of rows)
          for (const column of columns) {
            const isInside = row.index >= 0 && row.index < height && column.index >= 0 && column.index < width; // prettier-ignore
            const place = isInside ? image + row.index * steps[0] + column.index * steps[1] : zeros;
            sum += floatAt(place + lane * floatBytes) * row.weight * column.weight;
          }
        memory[output / floatBytes + lane] = sum;
      }
    });
  },
};

/** Where a coordinate lies on an axis of so many places. */
function placeOf(
  { aligned }: GridSampling,
  coordinate: Expression<"f32">,
  size: number,
): Expression<"f32"> {
  // prettier-ignore
  const fromStart = add(coordinate, f32(1));
  return aligned
    ? multiply(fromStart, f32((size - 1) / 2))
    : multiply(subtract(multiply(fromStart, f32(size)), f32(1)), f32(0.5));
}

function halfToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}
