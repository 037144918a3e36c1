import {
  constant,
  f32x4,
  i32,
  i32Add,
  i32Multiply,
  i32Subtract,
  i32x4,
  integers,
  load,
  loadSplat,
  type Local,
  type Vector,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { bytes, lanes, loadEightBytes, loadFourBytes } from "../encode/integer-vectors.js";
import type { Engine } from "../engine.js";
import { bitsOf } from "./curve-i8.js";
import { laneCount, vectorBytes } from "./kernel.js";
import type { MatrixI8Options } from "./matrix-i8-options.js";
import { equal, nest, walk } from "./nest.js";
import { type Factor, Products, step } from "./products-i8.js";
import { emitBytes, emitResult, emitScaled, termBytes } from "./rounding-i8.js";

/** Vectors of weights, and so of results, side by side. */
export const panelVectors = 2;

type OtherTerms = NonNullable<MatrixI8Options["other"]>;

interface Tile {
  /** Columns held in registers. */
  readonly rows: number;
  /** Steps of the sum that a loop takes at once. */
  readonly unroll: number;
  /** Columns that together fill a vector become bytes at once: where the first ones' results can wait in registers. */
  readonly isPacked: boolean;
}

/** With products in 16 bits, weights and input take two registers. */
const tiles: Readonly<Record<Engine["name"], Tile>> = {
  simd: { rows: 4, unroll: 1, isPacked: false },
  "relaxed-simd": { rows: 6, unroll: 2, isPacked: true },
};

/** Steps of a sum that are written one after the other rather than as a loop: one costs nothing beside its products. */
const straight = 2;

/** Vectors of sums of a tile, split ones among them. */
const mostSums = 12;
/** A panel of one vector leaves registers for so many more columns. */
const moreRows = 2;

export interface Panel {
  readonly vectors: number;
  readonly count: number;
  /** Channels that are stored. */
  readonly stored: number;
}

export function depthOf({ taps, run }: MatrixI8Options): number {
  return taps.reduce((product, { count }) => product * count, run);
}

/** Columns of a panel in tiles, a little smaller ones where all are equal then: less code, which is compiled sooner. */
export function tilesOf(
  count: number,
  { vectors }: Panel,
  engine: Engine,
): readonly { readonly size: number; readonly count: number }[] {
  const { rows } = tiles[engine.name];
  return equal(count, vectors === panelVectors ? rows : rows + moreRows);
}

/** Of eight bytes the first four or the last four, as lanes of 32 bits: places beyond a vector's give zeros. */
const wordsOf = [0, laneCount].map((first) =>
  Uint8Array.from({ length: vectorBytes }, (_, at) => (at % 4 === 0 ? first + at / 4 : 0xff)),
);

const wordsOfFour = (four: Vector): Vector => lanes.wordsOfLowHalves(lanes.halvesOfBytes(four));

export type Pointer = Local<"i32">;

export function pointersOf(
  f: FunctionBuilder,
): readonly [input: Pointer, weights: Pointer, terms: Pointer, output: Pointer, other: Pointer] {
  return [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3), f.parameter(4)];
}

interface TileWriter {
  /** Writes one tile: so many columns of one panel. Pointers stay where they are. */
  readonly write: (size: number, panel: Panel) => void;
  /** Moves a pointer on by so many columns. @param operand of the columns' steps */
  readonly skip: (pointer: Pointer, size: number, operand: number) => void;
}

/** To be made first: distances of columns are computed where it is. */
export function tileWriter(
  f: FunctionBuilder,
  options: MatrixI8Options,
  engine: Engine,
): TileWriter {
  const { rows, columns, taps, run, activations, result } = options;
  const { rows: most, unroll: turnsOfLoop, isPacked: mayPack } = tiles[engine.name];
  const [input, weights, terms, output, other] = pointersOf(f);
  const products = new Products(f, activations, engine);
  const [x, from, weight] = [products.factor(), f.local("i32"), f.local("i32")];
  const held = Array.from({ length: panelVectors }, () => products.factor());
  const [widened, packed] = [f.scratch("widened"), f.scratch("packed")];
  const eight = f.scratch("eight");
  const steps = columns.steps.map((each) => f.number(each));
  const apart = Array.from({ length: most + moreRows - 1 }, () => f.local("i32"));
  apart.forEach((local, at) => {
    const [step = i32(0)] = steps;
    f.set(local, at === 0 ? step : i32Add(apart[at - 1] ?? step, step));
  });
  const [to, by, left] = [f.local("i32"), f.local("i32"), f.local("i32")];
  /** Few products, by a function that all depths share. */
  const isVector = rows.count * columns.count === 1 && taps.length === 0;
  /** Moves a pointer to a column's part of a result or of the other tensor. Columns come one after the other. */
  const moveTo = (m: number, at: Pointer, from: Pointer, operand: number): void =>
    f.set(at, m === 0 ? from : i32Add(at, steps[operand] ?? i32(0)));
  const skip = (pointer: Pointer, size: number, operand: number): void =>
    f.set(pointer, i32Add(pointer, i32Multiply(steps[operand] ?? i32(0), i32(size))));
  /** Adds bytes of the other tensor, in steps of the result. */
  const addOther = (
    total: Local<"v128">,
    words: Vector,
    { factor, zeroPoint }: OtherTerms,
  ): void => {
    f.set(widened, words);
    f.set(widened, i32x4.subtract(widened, f.spread("other's zero point", zeroPoint)));
    emitScaled(f, widened, f.spread("other's factor", bitsOf(factor)));
    f.set(total, f32x4.add(total, widened));
  };
  // As many as there may be, so that what follows has the same locals in all functions, and compresses.
  const sums: Local<"v128">[] = [...f.vectors(mostSums)];
  /** What is finished is moved here first: code that is the same for all columns compresses, and engines rename. */
  const made: Local<"v128">[] = [...f.vectors(vectorBytes / laneCount)];
  const madeAt = (at: number): Local<"v128"> => (made[at] ??= f.local("v128"));
  const sumAt = (at: number): Local<"v128"> => (sums[at] ??= f.local("v128"));

  /** As often as a number says that a caller passes, or never. */
  const repeat = (count: number, body: () => void): void => {
    f.set(left, f.figure(count));
    f.repeatWhile(left, () => {
      body();
      f.set(left, i32Subtract(left, i32(1)));
    });
  };
  const write = (size: number, { vectors, stored }: Panel): void => {
    // Few sums would wait for one another: they are split, and added up at the end.
    const splits = size * vectors >= 6 ? 1 : size * vectors >= 3 ? 2 : 4;
    const sum = (m: number, v: number, split = 0) => sumAt((split * size + m) * vectors + v);
    for (let split = 0; split < splits; split += 1)
      for (let v = 0; v < vectors; v += 1)
        for (let m = 0; m < size; m += 1)
          f.set(sum(m, v, split), split === 0 ? load(terms, v * termBytes) : integers(0));

    const stepBytes = vectors * vectorBytes;
    const own: readonly Factor[] = held.slice(0, vectors);
    const oneStep = (at: Pointer, offset: number, w: Pointer, place: number, turn: number) => {
      own.forEach((factor, v) => products.setWeights(factor, load(w, place + v * vectorBytes)));
      for (let m = 0; m < size; m += 1) {
        const distance = apart[m - 1];
        products.setInput(x, loadSplat(distance === undefined ? at : i32Add(at, distance), offset));
        own.forEach((factor, v) => products.add(sum(m, v, turn % splits), factor, x));
      }
    };
    const stepsOfRun = run / step;
    const stepsAt = (count: number): void => {
      for (let u = 0; u < count; u += 1) oneStep(from, u * step, weight, u * stepBytes, u);
      f.advance(weight, count * stepBytes);
    };
    if (isVector) {
      const rounds = Math.floor(stepsOfRun / splits);
      f.set(from, input);
      f.set(weight, weights);
      for (const [count, size] of [
        [rounds, splits],
        [stepsOfRun - rounds * splits, 1],
      ] as const)
        repeat(count, () => {
          stepsAt(size);
          f.advance(from, size * step);
        });
    } else if (depthOf(options) / step <= straight) {
      let k = 0;
      walk(taps, [0], ([tap = 0]) => {
        for (let i = 0; i < stepsOfRun; i += 1) {
          oneStep(input, tap + i * step, weights, k * stepBytes, k);
          k += 1;
        }
      });
    } else {
      f.set(from, input);
      f.set(weight, weights);
      const overRun = (): readonly number[] => {
        const turns = Math.max(turnsOfLoop, splits);
        const unroll = stepsOfRun <= straight ? stepsOfRun : turns;
        const rounds = Math.floor(stepsOfRun / unroll);
        if (rounds === 1 && unroll === stepsOfRun) {
          stepsAt(unroll);
          return [0];
        }
        const round = (): void => {
          stepsAt(unroll);
          f.advance(from, unroll * step);
        };
        if (rounds > 1) f.times(rounds, round, f.figure(rounds));
        else f.times(rounds, round);
        stepsAt(stepsOfRun - rounds * unroll);
        return [rounds * unroll * step];
      };
      nest(f, taps, [from], overRun, (value) => f.figure(value));
    }

    const width = vectors * laneCount;
    const isPacked = mayPack && result.kind === "bytes" && stored === width;
    const together = isPacked ? vectorBytes / width : 1;
    for (let first = 0; first < size; first += together) {
      const own = Array.from({ length: Math.min(together, size - first) }, (_, at) => first + at);
      for (const m of own) {
        if (result.kind !== "bytes") moveTo(m, to, output, 1);
        if (options.other !== undefined) moveTo(m, by, other, 2);
        // What a column's two vectors are added to lies together.
        const isTogether = mayPack && vectors === panelVectors;
        for (let v = 0; v < vectors; v += 1) {
          const total = madeAt((m - first) * vectors + v);
          f.set(total, sum(m, v));
          for (let split = 1; split < splits; split += 1)
            f.set(total, i32x4.add(total, sum(m, v, split)));
          if (result.kind !== "integers")
            emitScaled(f, total, load(terms, v * termBytes + vectorBytes));
          if (options.other !== undefined) {
            const at = v * laneCount;
            if (!isTogether) addOther(total, wordsOfFour(loadFourBytes(by, at)), options.other);
            else {
              if (v === 0) f.set(eight, loadEightBytes(by, at));
              addOther(
                total,
                bytes.lookUp(eight, constant(wordsOf[v] ?? new Uint8Array(vectorBytes))),
                options.other,
              );
            }
          }
          emitResult(f, total, result);
          if (result.kind !== "bytes") {
            const count = Math.min(laneCount, stored - v * laneCount);
            f.storeLanes(to, v * vectorBytes, total, count);
          }
        }
      }
      if (result.kind !== "bytes") continue;
      const rounded = own.flatMap((m) =>
        Array.from({ length: vectors }, (_, v) => madeAt((m - first) * vectors + v)),
      );
      emitBytes(f, packed, rounded, result);
      own.forEach((m, part) => {
        moveTo(m, to, output, 1);
        if (own.length === 1) f.storeBytes(to, 0, packed, stored);
        else f.storePart(to, 0, packed, vectors === 1 ? 4 : 8, part);
      });
    }
  };
  return { write, skip };
}
