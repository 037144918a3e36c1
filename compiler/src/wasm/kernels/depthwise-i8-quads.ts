import { i32Add, load, type Local, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { dots, loadEightBytes, loadFourBytes, shuffleBytes } from "../encode/integer-vectors.js";
import type { DepthwiseI8Options } from "./depthwise-i8-options.js";
import { type Cut, cutOf, quad } from "./depthwise-i8-weights.js";
import { laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, nest } from "./nest.js";
import { emitBytes, emitResult, emitScaled, resultBytes, termBytes } from "./rounding-i8.js";

type Vectors = readonly Local<"v128">[];

/** Vectors of channels side by side. */
export const groupsOfBlock = 2;

/** Channels of a block that are computed: vectors of them, and how many are stored. */
export interface Block {
  readonly groups: number;
  readonly stored: number;
}

/** Bytes of two vectors in turns, and pairs of them. */
const inTurns = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
const pairsInTurns = {
  low: [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23],
  high: [8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31],
};

/**
 * Four neighbouring columns are read as vectors of channels and turned, so that each lane of 32 bits has one channel's four
 * taps: one product for four channels. Where a second result's taps lie within the same quads, they are for both:
 *
 *     x₀ x₁ x₂ x₃ · w₀ w₁ w₂ 0   and   x₀ x₁ x₂ x₃ · 0 w₀ w₁ w₂
 */
export class Quads {
  readonly #f: FunctionBuilder;
  readonly #options: DepthwiseI8Options;
  readonly #cut: Cut;
  readonly #read: Vectors;
  readonly #pairs: Vectors;
  readonly #toTap: Local<"i32">;
  readonly #toColumn: Local<"i32">;
  readonly #at: Local<"i32">;
  /** What is finished is moved here first: code that is the same for all rows compresses, and engines rename. */
  readonly #made: readonly Vectors[];

  constructor(f: FunctionBuilder, options: DepthwiseI8Options) {
    const [, columnOut = 0] = options.columns.steps;
    const [tapStep = 0] = options.taps[1].steps;
    this.#f = f;
    this.#options = options;
    this.#cut = cutOf(options);
    this.#read = f.vectors(quad);
    this.#pairs = f.vectors(2);
    this.#toTap = f.number(tapStep);
    this.#toColumn = f.number(columnOut);
    this.#at = f.local("i32");
    this.#made = this.sums();
  }

  /** Vectors for a row of quads: by quad and vector of channels. */
  row(): readonly Vectors[] {
    return Array.from({ length: this.#cut.quads }, () => this.#f.vectors(groupsOfBlock));
  }

  /** Sums by result and vector of channels. */
  sums(): readonly Vectors[] {
    return Array.from({ length: this.#cut.results }, () => this.#f.vectors(groupsOfBlock));
  }

  /** Reads a row of the input, for neighbouring results. @param from where it begins */
  turn(from: Local<"i32">, into: readonly Vectors[], results: number, groups: number): void {
    const [, across] = this.#options.taps;
    const span = across.count + (results - 1) * this.#cut.apart;
    const reading = groups === 1 ? loadFourBytes : loadEightBytes;
    const f = this.#f;
    into.forEach((vectors, each) => {
      const own = this.#read.slice(0, Math.max(0, Math.min(quad, span - each * quad)));
      own.forEach((local, tap) => {
        const isFirst = each === 0 && tap === 0;
        f.set(this.#at, isFirst ? from : i32Add(this.#at, this.#toTap));
        f.set(local, reading(this.#at));
      });
      const [p, q] = this.#pairs;
      // What stands for columns that are not there is multiplied by zero.
      const [a, b = a, c, d = c] = own;
      if (a === undefined || b === undefined || p === undefined || q === undefined) return;
      f.set(p, shuffleBytes(a, b, inTurns));
      if (c !== undefined && d !== undefined) f.set(q, shuffleBytes(c, d, inTurns));
      const others: Vector = c === undefined ? p : q;
      vectors.slice(0, groups).forEach((local, group) => {
        const order = group === 0 ? pairsInTurns.low : pairsInTurns.high;
        f.set(local, shuffleBytes(p, others, order));
      });
    });
  }

  /** The weights of one row of the kernel, for one result. */
  weights(row: number, each: number, result: number, group: number): Vector {
    const { rowBytes, groupBytes, results } = this.#cut;
    const place = row * rowBytes + group * groupBytes + (each * results + result) * vectorBytes;
    return load(this.#f.parameter(1), place);
  }

  /** Adds to sums the products of a turned row with a row of the kernel. */
  add(sums: readonly Vectors[], row: number, turned: readonly Vectors[], groups: number): void {
    turned.forEach((vectors, each) => {
      vectors.slice(0, groups).forEach((x, group) => {
        sums.forEach((own, result) => {
          const sum = own[group];
          if (sum === undefined) return;
          const weights = this.weights(row, each, result, group);
          this.#f.set(sum, dots.relaxedOfBytes(weights, x, sum));
        });
      });
    });
  }

  /** Where sums begin. */
  start(group: number): Vector {
    return load(this.#f.parameter(2), group * termBytes);
  }

  /** Makes results of sums and stores them. @param to where the first is stored */
  finish(sums: readonly Vectors[], { groups, stored }: Block, to: Local<"i32">): void {
    const { result } = this.#options;
    const [f, terms, at] = [this.#f, this.#f.parameter(2), this.#at];
    const moveTo = (j: number): void => f.set(at, j === 0 ? to : i32Add(at, this.#toColumn));
    const all = sums.map((own, j) =>
      own.slice(0, groups).map((sum, group) => {
        const made = this.#made[j]?.[group] ?? sum;
        f.set(made, sum);
        return made;
      }),
    );
    for (const own of all)
      own.forEach((sum, group) => {
        emitScaled(f, sum, load(terms, group * termBytes + vectorBytes));
        emitResult(f, sum, result);
      });
    const packed = f.scratch("packed");
    if (result.kind === "bytes" && stored === groups * laneCount) {
      emitBytes(f, packed, all.flat(), result);
      const bytes = groups === 1 ? 4 : 8;
      all.forEach((_, j) => {
        moveTo(j);
        f.storePart(at, 0, packed, bytes, j);
      });
      return;
    }
    all.forEach((own, j) => {
      moveTo(j);
      if (result.kind === "bytes") {
        emitBytes(f, packed, own, result);
        f.storeBytes(at, 0, packed, stored);
      } else
        own.forEach((sum, group) => {
          const count = Math.min(laneCount, stored - group * laneCount);
          f.storeLanes(at, group * vectorBytes, sum, count);
        });
    });
  }
}

/** Visits blocks of channels. @returns by how much pointers are moved */
export function overBlocks(
  f: FunctionBuilder,
  options: DepthwiseI8Options,
  visit: (block: Block) => readonly number[],
): readonly number[] {
  const number = (value: number): Local<"i32"> => f.number(value);
  const { channels, result, padded } = options;
  const { groupBytes } = cutOf(options);
  const groups = groupsOfBlock;
  const width = groups * laneCount;
  const blocks: Axis = {
    count: Math.floor(channels / width),
    steps: [width, groups * groupBytes, groups * termBytes, width * resultBytes(result)],
  };
  const moved = nest(f, [blocks], f.parameters, () => visit({ groups, stored: width }), number);
  const rest = channels % width;
  if (rest === 0) return moved;
  const vectors = vectorsOf(rest);
  const more = visit({ groups: vectors, stored: padded ? vectors * laneCount : rest });
  return moved.map((bytes, at) => bytes + (more[at] ?? 0));
}
