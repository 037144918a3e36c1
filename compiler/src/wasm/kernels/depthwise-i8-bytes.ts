import { load, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { dots, shuffleBytes } from "../encode/integer-vectors.js";
import type { DepthwiseI8Options } from "./depthwise-i8-options.js";
import { cutOf, quad } from "./depthwise-i8-weights.js";
import { laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { balanced, nest } from "./nest.js";
import { emitBytes, emitResult, emitScaled, resultBytes, termBytes } from "./rounding-i8.js";

/** Channels that are computed side by side. */
const blockChannels = 16;
const groupsOfBlock = blockChannels / laneCount;
/** Rows of quads that are written one after the other rather than as a loop. */
const straight = 10;

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
 */
export function emitBytesDepthwise(options: DepthwiseI8Options): FunctionBuilder {
  const { batch, rows, columns, channels, taps, result, padded } = options;
  const f = new FunctionBuilder(4);
  const [input, weights, terms, output] = f.parameters;
  if (!input || !weights || !terms || !output) return f;
  const [down, across] = taps;
  const [columnIn = 0, columnOut = 0] = columns.steps;
  const { results, quads, apart, rowBytes, groupBytes } = cutOf(options);
  const x = f.local("v128");
  const [read, paired] = [f.vectors(quad), f.vectors(quad)];
  const packed = f.scratch("packed");
  const sums = Array.from({ length: results }, () => f.vectors(groupsOfBlock));
  const [from, weight] = [f.local("i32"), f.local("i32")];

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
    const span = across.count + (size - 1) * apart;
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
        f.set(x, vector);
        for (let j = 0; j < size; j += 1) {
          const sum = sums[j]?.[group];
          if (sum === undefined) continue;
          const of = group * groupBytes + (each * results + j) * vectorBytes;
          f.set(sum, dots.relaxedOfBytes(load(own, place + of), x, sum));
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
          steps: [blockChannels, groupsOfBlock * groupBytes, groupsOfBlock * termBytes, width],
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
}

/** Whole tiles first, and what is left. */
function cutColumns(
  count: number,
  results: number,
): readonly { readonly size: number; readonly count: number }[] {
  const whole = Math.floor(count / results);
  return [{ size: results, count: whole }, ...balanced(count - whole * results, 1)];
}
