import {
  cubicFactors,
  endsOf,
  firstTap,
  gridCubic,
  type GridSampling,
  reflected,
  tapCount,
} from "../../ops/families/grid-sample.js";
import { cubicAt } from "../../ops/families/interpolation.js";
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
  absolute,
  add,
  both,
  choose,
  floor,
  less,
  lessUnsigned,
  multiply,
  nearest,
  subtract,
  toFloat,
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
 * Loops: axes › places beside the point › vectors. What lies beyond the image is read from zeros, or from its border, or
 * from where a mirror there shows, and never from elsewhere, whatever the grid holds. Parameters: image, grid, output, zeros.
 */
export const gridSample: Kernel<GridSampleOptions> = {
  name: "grid-sample",
  emit(options) {
    const { axes, height, width, steps, vectors, mode, padding } = options;
    const f = new FunctionBuilder(4);
    const [image, grid, output, zeros] = [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3)]; // prettier-ignore
    const count = tapCount[mode];
    const besideOf = (): readonly Beside[] =>
      Array.from({ length: count }, () => ({ index: f.local("i32"), weight: f.local("f32") }));
    const [columns, rows] = [besideOf(), besideOf()];
    const [point, beyond] = [f.local("f32"), f.local("f32")];
    const pointers = Array.from({ length: count * count }, () => f.local("i32"));
    const weights = f.vectors(count * count);
    const sum = f.local("v128");

    const reflect = (size: number): void => {
      const { least, range } = endsOf(options, size);
      if (range === 0) return f.set(point, f32(least));
      // There and back again is a period.
      f.set(point, multiply(subtract(point, f32(least)), f32(0.5 / range)));
      f.set(point, multiply(subtract(point, floor(point)), f32(2 * range)));
      f.set(point, absolute(subtract(point, f32(range))));
      f.set(point, subtract(f32(least + range), point));
    };
    const locate = (at: number, size: number, beside: readonly Beside[]): void => {
      f.set(point, placeOf(options, loadFloat(grid, at), size));
      // Engines choose the nearest before they look for it in the mirror.
      if (padding === "reflection" && mode === "nearest") f.set(point, nearest(point));
      if (padding === "reflection") reflect(size);
      if (mode !== "nearest") f.set(beyond, subtract(point, floor(point)));
      const first = f.local("i32");
      f.set(first, toInteger(mode === "nearest" ? nearest(point) : floor(point)));
      const shares = weightsOf(mode, beyond);
      for (const [tap, { index, weight }] of beside.entries()) {
        f.set(index, i32Add(first, i32(firstTap[mode] + tap)));
        const share = shares[tap];
        if (share !== undefined) f.set(weight, share);
        // Four places reach beyond the next one, too.
        if (padding === "reflection" && mode === "cubic") {
          f.set(point, toFloat(index));
          reflect(size);
          f.set(index, toInteger(nearest(point)));
        }
        if (padding === "zeros") continue;
        f.set(index, choose(less(index, i32(0)), i32(0), index));
        f.set(index, choose(less(i32(size - 1), index), i32(size - 1), index));
      }
    };
    const addressOf = (row: Beside, column: Beside): Expression<"i32"> => {
      const down = i32Multiply(row.index, i32(steps[0]));
      const within = i32Add(image, i32Add(down, i32Multiply(column.index, i32(steps[1]))));
      if (padding !== "zeros") return within;
      const isInside = both(
        lessUnsigned(row.index, i32(height)),
        lessUnsigned(column.index, i32(width)),
      );
      return choose(isInside, within, zeros);
    };

    nest(f, axes, [image, grid, output], () => {
      locate(0, width, columns);
      locate(steps[2], height, rows);
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
      const unbound = Math.fround(aligned ? ((coordinate + 1) / 2) * (size - 1) : ((coordinate + 1) * size - 1) / 2); // prettier-ignore
      const whole = mode === "nearest" ? halfToEven(unbound) : unbound;
      const place = padding === "reflection" ? reflected(whole, endsOf(options, size)) : whole;
      const first = mode === "nearest" ? halfToEven(place) : Math.floor(place);
      const share = place - first;
      const cubic = [-1, 0, 1, 2].map((tap) => cubicAt(Math.abs(share - tap), gridCubic));
      const weights = { nearest: [1], linear: [1 - share, share], cubic };
      return weights[mode].map((weight, tap) => {
        const index = first + firstTap[mode] + tap;
        if (padding === "zeros") return { index, weight };
        const seen =
          padding === "reflection" ? Math.round(reflected(index, endsOf(options, size))) : index;
        return { index: Math.min(Math.max(seen, 0), size - 1), weight };
      });
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

/** How much of each place there is in a point that lies so far beyond one of them. */
function weightsOf(
  mode: GridSampling["mode"],
  share: Expression<"f32">,
): readonly Expression<"f32">[] {
  if (mode === "nearest") return [];
  if (mode === "linear") return [subtract(f32(1), share), share];
  const power = (times: number): Expression<"f32"> =>
    times === 1 ? share : multiply(share, power(times - 1));
  return cubicFactors.map(([constant, ...factors]) =>
    factors.reduce<Expression<"f32">>(
      (sum, factor, at) => add(sum, multiply(f32(factor), power(at + 1))),
      f32(constant),
    ),
  );
}

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
