import { i32, i32Add, i32Multiply, i32x4, load, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { dots, halves, lanes, loadBytesAsHalves, shuffleBytes } from "../encode/integer-vectors.js";
import { numbersOfBytes } from "../engine.js";
import type { DepthwiseI8Options } from "./depthwise-i8-options.js";
import { cutOf, quad } from "./depthwise-i8-weights.js";
import { laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { equal, nest } from "./nest.js";
import { emitBytes, emitResult, emitScaled, resultBytes, termBytes } from "./rounding-i8.js";

/** Neighbouring results whose sums stay in registers, beside a row's weights and what is read. */
const mostResults = 6;

/** Two taps of a row, the second two behind the first: what even or odd bytes of a quad are. */
interface Pair {
  readonly first: number;
  /** The second is no tap of the kernel: its weight is zero. */
  readonly isSingle: boolean;
}

function pairsOf(taps: number): readonly Pair[] {
  return Array.from({ length: taps }, (_, first) => first)
    .filter((first) => first % quad < 2)
    .map((first) => ({ first, isSingle: first + 2 >= taps }));
}

/** Bytes of halves, of x (0…15) and y (16…31): the first four of each, in turns. */
const inTurns = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];

/**
 * Loops: batch › rows › tiles of columns › vectors of channels › rows of the kernel. A row's weights wait in registers as
 * pairs of 16 bits, and every pair of inputs is put together once, for all results of the tile that want it. Of a row of
 * five taps, the first result, the fourth and the fifth take
 *
 *     x₄ x₆ · w₄ 0      x₄ x₆ · w₁ w₃      x₄ x₆ · w₀ w₂
 */
export function emitPairsDepthwise(options: DepthwiseI8Options): FunctionBuilder {
  const { batch, rows, columns, channels, taps, result, padded } = options;
  const f = new FunctionBuilder(4, numbersOfBytes);
  const [input, weights, terms, output] = f.parameters;
  if (!input || !weights || !terms || !output) return f;
  const [down, across] = taps;
  const [columnIn = 0, columnOut = 0] = columns.steps;
  const [[downStep = 0], [tapStep = 0]] = [down.steps, across.steps];
  const { results, rowBytes, groupBytes } = cutOf(options);
  const pairs = pairsOf(across.count);
  const held = pairs.map(() => f.local("v128"));
  const sums = f.vectors(Math.min(mostResults, columns.count));
  const [turned, packed] = [f.local("v128"), f.scratch("packed")];
  const [from, weight, at, to] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
  const inputs = new Map<number, Local<"v128">>();
  const number = (value: number): Local<"i32"> => f.number(value);
  const [toTap, toRow, toColumn] = [number(tapStep), number(downStep), number(columnOut)];

  const holdWeights = (): void => {
    pairs.forEach(({ first }, each) => {
      const even = held[each];
      const odd = pairs[each + 1]?.first === first + 1 ? held[each + 1] : undefined;
      if (even === undefined || first % quad === 1) return;
      f.set(even, load(weight, (first / quad) * results * vectorBytes));
      if (odd !== undefined) f.set(odd, halves.shiftRight(even, 8));
      f.set(even, halves.shiftRight(halves.shiftLeft(even, 8), 8));
    });
  };

  const inputOf = (place: number): Local<"v128"> => {
    const local = inputs.get(place) ?? f.local("v128");
    inputs.set(place, local);
    return local;
  };
  const advance = (bytes: number): void => {
    const taps = bytes / tapStep;
    if (!Number.isInteger(taps)) f.advance(at, bytes);
    else if (taps > 0) f.set(at, i32Add(at, taps === 1 ? toTap : i32Multiply(toTap, i32(taps))));
  };

  /** Adds one row of the kernel to the sums of a tile. */
  const row = (size: number): void => {
    holdWeights();
    const uses = usesOf(size, pairs, columnIn, tapStep);
    const isSingle = (pair: number): boolean => pairs[pair]?.isSingle ?? true;
    const places = new Set<number>();
    for (const [where, own] of uses) {
      places.add(where);
      if (!own.every(({ pair }) => isSingle(pair))) places.add(where + 2 * tapStep);
    }
    const left = [...places].sort((one, other) => one - other);
    f.set(at, from);
    let standing = 0;
    /** Reads on, up to a place. */
    const inputAt = (where: number): Local<"v128"> => {
      while ((left[0] ?? Infinity) <= where) {
        const place = left.shift() ?? where;
        advance(place - standing);
        standing = place;
        f.set(inputOf(place), loadBytesAsHalves(at));
      }
      return inputOf(where);
    };
    for (const [where, own] of uses) {
      const x = inputAt(where);
      const both = own.every(({ pair }) => isSingle(pair))
        ? lanes.wordsOfLowHalves(x)
        : shuffleBytes(x, inputAt(where + 2 * tapStep), inTurns);
      f.set(turned, both);
      for (const { j, pair } of own) {
        const [sum, w] = [sums[j], held[pair]];
        if (sum !== undefined && w !== undefined)
          f.set(sum, i32x4.add(sum, dots.ofHalves(turned, w)));
      }
    }
  };

  const tile = (size: number, stored: number): void => {
    const own = sums.slice(0, size);
    for (const sum of own) f.set(sum, load(terms));
    f.set(from, input);
    f.set(weight, weights);
    f.times(down.count, () => {
      row(size);
      f.set(from, i32Add(from, toRow));
      f.advance(weight, rowBytes);
    });
    for (const sum of own) {
      emitScaled(f, sum, load(terms, vectorBytes));
      emitResult(f, sum, result);
    }
    const together = stored === laneCount ? laneCount : 1;
    own.forEach((sum, j) => {
      f.set(to, j === 0 ? output : i32Add(to, toColumn));
      if (result.kind === "floats") return f.storeLanes(to, 0, sum, stored);
      const part = j % together;
      if (part === 0) emitBytes(f, packed, own.slice(j, j + together), result);
      if (together === 1) f.storeBytes(to, 0, packed, stored);
      else f.storePart(to, 0, packed, laneCount, part);
    });
  };

  const rest = padded ? 0 : channels % laneCount;
  const whole = padded ? vectorsOf(channels) : Math.floor(channels / laneCount);
  const steps = [laneCount, groupBytes, termBytes, laneCount * resultBytes(result)];
  const vectorCount = number(whole);
  const rowAxis = { count: rows.count, steps: [rows.steps[0] ?? 0, 0, 0, rows.steps[1] ?? 0] };
  const overRows = (): readonly number[] => {
    for (const { size, count } of equal(columns.count, mostResults)) {
      const tiles = { count, steps: [size * columnIn, 0, 0, size * columnOut] };
      const overVectors = (): readonly number[] => {
        const one = (): void => {
          tile(size, laneCount);
          f.parameters.forEach((pointer, of) => f.advance(pointer, steps[of] ?? 0));
        };
        f.times(whole, one, vectorCount);
        if (rest > 0) tile(size, rest);
        return steps.map((step) => step * whole);
      };
      nest(f, [tiles], f.parameters, overVectors, number);
    }
    return [columns.count * columnIn, 0, 0, columns.count * columnOut];
  };
  nest(f, [...batch, rowAxis], f.parameters, overRows, number);
  return f;
}

/** By where a pair of inputs begins, the results of a tile that it is multiplied for, and by which pair of weights. */
function usesOf(
  size: number,
  pairs: readonly Pair[],
  columnIn: number,
  tapStep: number,
): readonly (readonly [
  where: number,
  uses: readonly { readonly j: number; readonly pair: number }[],
])[] {
  const uses = new Map<number, { readonly j: number; readonly pair: number }[]>();
  for (let j = 0; j < size; j += 1)
    pairs.forEach(({ first }, pair) => {
      const where = j * columnIn + first * tapStep;
      uses.set(where, [...(uses.get(where) ?? []), { j, pair }]);
    });
  return [...uses].sort(([one], [other]) => one - other);
}
