import { load, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { shuffleBytes } from "../encode/integer-vectors.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, balanced, nest, walk } from "./nest.js";
import { type Activations, Products, signed } from "./products-i8.js";
import {
  emitBytes,
  emitResult,
  emitScaled,
  type Result,
  resultBytes,
  resultByte,
  scaled,
  termBytes,
  termsAt,
} from "./rounding-i8.js";

/** A convolution of every channel with a kernel of its own, on bytes. */
export interface DepthwiseI8Options {
  /** Images: steps of all four parameters. */
  readonly batch: readonly Axis[];
  /** Of the result, and within it: steps of input, output. */
  readonly rows: Axis;
  readonly columns: Axis;
  readonly channels: number;
  /** The kernel's rows and columns: steps of the input, dilation included. */
  readonly taps: readonly [Axis, Axis];
  readonly activations: Activations;
  readonly result: Result;
  /** What is behind the last channel, up to a multiple of four, is the output's own. */
  readonly padded: boolean;
}

/** Channels that are computed side by side. */
export const blockChannels = 16;
const groupsOfBlock = blockChannels / laneCount;
/** Taps of a row that are multiplied at once. */
const quad = 4;
/** Rows of quads that are written one after the other rather than as a loop. */
const straight = 10;

/** How a row of the kernel is cut into quads, and how many neighbouring results share them. */
interface Cut {
  readonly results: 1 | 2;
  readonly quads: number;
  /** Taps from one result to the next. */
  readonly apart: number;
}

function cutOf({ taps, columns }: Pick<DepthwiseI8Options, "taps" | "columns">): Cut {
  const [, across] = taps;
  const [columnIn = 0] = columns.steps;
  const [tapStep = 1] = across.steps;
  const quads = Math.ceil(across.count / quad);
  const apart = columnIn / tapStep;
  const isFree = Number.isInteger(apart) && Math.ceil((across.count + apart) / quad) === quads;
  return { results: columns.count > 1 && isFree ? 2 : 1, quads, apart };
}

const byteOrders = {
  low: [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23],
  high: [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31],
};
const pairOrders = {
  low: [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23],
  high: [8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31],
};

/**
 * Loops: batch › rows › blocks of 16 channels › tiles of columns › rows of the kernel › quads of its taps. A quad is read
 * as four vectors of 16 channels and turned, so that each lane of 32 bits has one channel's four taps: one product for
 * four channels. Where a second result's taps lie within the same quads, they are read and turned once for both:
 *
 *     x₀ x₁ x₂ x₃ · w₀ w₁ w₂ 0   and   x₀ x₁ x₂ x₃ · 0 w₀ w₁ w₂
 *
 * Parameters: input, weights, terms, output.
 */
export const depthwiseI8: Kernel<DepthwiseI8Options> = {
  name: "depthwise-i8",
  emit(options, engine) {
    const { batch, rows, columns, channels, taps, result, padded } = options;
    const f = new FunctionBuilder(4);
    const [input, weights, terms, output] = f.parameters;
    if (!input || !weights || !terms || !output) return f;
    const [down, across] = taps;
    const [columnIn = 0, columnOut = 0] = columns.steps;
    const { results, quads } = cutOf(options);
    const products = new Products(f, options.activations, engine);
    const [w, x] = [products.factor(), products.factor()];
    const [read, paired] = [f.vectors(quad), f.vectors(quad)];
    const packed = f.scratch("packed");
    const sums = Array.from({ length: results }, () => f.vectors(groupsOfBlock));
    const [from, weight] = [f.local("i32"), f.local("i32")];
    const rowBytes = quads * results * blockChannels * quad;

    const quadOf = (at: Local<"i32">, offset: number, count: number): void => {
      read.slice(0, count).forEach((local, i) => {
        f.set(local, load(at, offset + i * (across.steps[0] ?? 0)));
      });
      const [a, b = a, c = b, d = c] = read.slice(0, count);
      const [p, q, r, s] = paired;
      if (!a || !b || !c || !d || !p || !q || !r || !s) return;
      f.set(p, shuffleBytes(a, b, byteOrders.low));
      f.set(q, shuffleBytes(a, b, byteOrders.high));
      f.set(r, shuffleBytes(c, d, byteOrders.low));
      f.set(s, shuffleBytes(c, d, byteOrders.high));
    };
    const row = (
      size: number,
      groups: number,
      at: Local<"i32">,
      offset: number,
      own: Local<"i32">,
      place: number,
    ): void => {
      const span = across.count + (size - 1) * cutOf(options).apart;
      for (let each = 0; each < quads; each += 1) {
        const count = Math.min(quad, span - each * quad);
        if (count <= 0) continue;
        quadOf(at, offset + each * quad * (across.steps[0] ?? 0), count);
        const [p = packed, q = packed, r = packed, s = packed] = paired;
        const turned = [
          shuffleBytes(p, r, pairOrders.low),
          shuffleBytes(p, r, pairOrders.high),
          shuffleBytes(q, s, pairOrders.low),
          shuffleBytes(q, s, pairOrders.high),
        ];
        turned.slice(0, groups).forEach((vector, group) => {
          products.setInput(x, vector);
          for (let j = 0; j < size; j += 1) {
            const sum = sums[j]?.[group];
            if (sum === undefined) continue;
            const of = (each * results + j) * groupsOfBlock + group;
            products.setWeights(w, load(own, place + of * vectorBytes));
            products.add(sum, w, x);
          }
        });
      }
    };
    const tile = (size: number, groups: number, stored: number): void => {
      for (let group = 0; group < groups; group += 1)
        for (let j = 0; j < size; j += 1) {
          const sum = sums[j]?.[group];
          if (sum !== undefined) f.set(sum, load(terms, group * termBytes));
        }
      if (down.count * quads <= straight) {
        for (let r = 0; r < down.count; r += 1)
          row(size, groups, input, r * (down.steps[0] ?? 0), weights, r * rowBytes);
      } else {
        f.set(from, input);
        f.set(weight, weights);
        const rowAxis = { count: down.count, steps: [down.steps[0] ?? 0, rowBytes] };
        nest(f, [rowAxis], [from, weight], () => row(size, groups, from, 0, weight, 0));
      }
      for (let j = 0; j < size; j += 1) {
        const own = (sums[j] ?? []).slice(0, groups);
        own.forEach((sum, group) => {
          emitScaled(f, sum, load(terms, group * termBytes + vectorBytes));
          emitResult(f, sum, result);
          if (result.kind === "floats") {
            const count = Math.min(laneCount, stored - group * laneCount);
            f.storeLanes(output, j * columnOut + group * vectorBytes, sum, count);
          }
        });
        if (result.kind !== "bytes") continue;
        emitBytes(f, packed, own, result);
        f.storeBytes(output, j * columnOut, packed, stored);
      }
    };

    const width = blockChannels * resultBytes(result);
    const rowAxis = { count: rows.count, steps: [rows.steps[0] ?? 0, 0, 0, rows.steps[1] ?? 0] };
    const blocks = (count: number, groups: number, stored: number): readonly number[] =>
      nest(
        f,
        [
          {
            count,
            steps: [blockChannels, down.count * rowBytes, groupsOfBlock * termBytes, width],
          },
        ],
        f.parameters,
        () => {
          for (const { size, count: often } of cutColumns(columns.count, results)) {
            f.times(often, () => {
              tile(size, groups, stored);
              f.advance(input, size * columnIn);
              f.advance(output, size * columnOut);
            });
          }
          return [columns.count * columnIn, 0, 0, columns.count * columnOut];
        },
      );
    nest(f, [...batch, rowAxis], f.parameters, () => {
      const moved = blocks(Math.floor(channels / blockChannels), groupsOfBlock, blockChannels);
      const rest = channels % blockChannels;
      if (rest === 0) return moved;
      const groups = vectorsOf(rest);
      const more = blocks(1, groups, padded ? groups * laneCount : rest);
      return moved.map((bytes, at) => bytes + (more[at] ?? 0));
    });
    return f;
  },

  reference(options, memory, at) {
    const { batch, rows, columns, channels, taps, result, padded } = options;
    const { bytes } = memory;
    const written = padded ? vectorsOf(channels) * laneCount : channels;
    walk(batch, at, ([input = 0, weights = 0, terms = 0, output = 0]) => {
      walk([rows, columns], [input, output], ([x = 0, y = 0]) => {
        for (let c = 0; c < written; c += 1) {
          const { start, factor } = termsAt(memory, terms, c);
          let sum = start;
          for (let row = 0; row < taps[0].count; row += 1)
            for (let column = 0; column < taps[1].count; column += 1) {
              const from = row * (taps[0].steps[0] ?? 0) + column * (taps[1].steps[0] ?? 0);
              const weight = signed(bytes[weights + depthwiseI8At(row, column, c, 0, options)]);
              sum = (sum + (bytes[x + from + c] ?? 0) * weight) | 0;
            }
          const value = scaled(sum, factor);
          if (result.kind === "bytes") bytes[y + c] = resultByte(value, result);
          else memory.floats[y / floatBytes + c] = value;
        }
      });
    });
  },
};

/** Whole tiles first, and what is left. */
function cutColumns(
  count: number,
  results: number,
): readonly { readonly size: number; readonly count: number }[] {
  const whole = Math.floor(count / results);
  return [{ size: results, count: whole }, ...balanced(count - whole * results, 1)];
}

/** Where the weight of a tap lies, among those for the first or the second of two results. */
function depthwiseI8At(
  row: number,
  column: number,
  c: number,
  result: number,
  options: Pick<DepthwiseI8Options, "taps" | "columns">,
): number {
  const { results, quads, apart } = cutOf(options);
  const { taps } = options;
  const slot = column + result * apart;
  const block = Math.floor(c / blockChannels) * taps[0].count + row;
  const vector = (block * quads + Math.floor(slot / quad)) * results + result;
  return (vector * blockChannels + (c % blockChannels)) * quad + (slot % quad);
}

/** Weights in the order in which the kernel reads them. */
export function packedDepthwiseI8(
  weightOf: (c: number, row: number, column: number) => number,
  options: Pick<DepthwiseI8Options, "taps" | "columns" | "channels">,
): Int8Array {
  const { taps, channels } = options;
  const [down, across] = taps;
  const { results, quads } = cutOf(options);
  const blocks = Math.ceil(channels / blockChannels);
  const packed = new Int8Array(blocks * down.count * quads * results * blockChannels * quad);
  for (let c = 0; c < channels; c += 1)
    for (let row = 0; row < down.count; row += 1)
      for (let column = 0; column < across.count; column += 1)
        for (let result = 0; result < results; result += 1)
          packed[depthwiseI8At(row, column, c, result, options)] = weightOf(c, row, column);
  return packed;
}
