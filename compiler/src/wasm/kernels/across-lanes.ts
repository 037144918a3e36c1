import {
  bits,
  floats,
  laneMask,
  load,
  type Local,
  shuffle,
  type Vector,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { type Fold, foldStart, foldVector, joinVectors } from "./fold.js";
import { laneCount, vectorBytes } from "./kernel.js";
import { nest } from "./nest.js";

/** The last vector of a run whose lanes beyond the run count as `value`. */
export function withTail(x: Vector, tail: number, value: number): Vector {
  if (tail === 0) return x;
  return value === 0 ? bits.and(x, laneMask(tail)) : bits.select(x, floats(value), laneMask(tail));
}

/** Joins all four lanes; each of them then holds the result. */
export function joinLanes(f: FunctionBuilder, x: Local<"v128">, fold: Fold): void {
  f.set(x, joinVectors(x, shuffle(x, x, [2, 3, 0, 1]), fold));
  f.set(x, joinVectors(x, shuffle(x, x, [1, 0, 3, 2]), fold));
}

/**
 * Calls `visit` for every vector of a run, the pointers on it; the last one is told how many of its lanes count.
 * @returns by how much each pointer is moved afterwards
 */
export function eachVector(
  f: FunctionBuilder,
  lanes: number,
  pointers: readonly Local<"i32">[],
  visit: (offset: number, tail: number) => void,
): readonly number[] {
  const whole = Math.floor(lanes / laneCount);
  const unroll = whole % 4 === 0 ? 4 : 1;
  const steps = pointers.map(() => vectorBytes * unroll);
  const moved = nest(f, [{ count: whole / unroll, steps }], pointers, () => {
    for (let u = 0; u < unroll; u += 1) visit(u * vectorBytes, 0);
  });
  if (lanes % laneCount > 0) visit(0, lanes % laneCount);
  return moved;
}

/** Folds a run at a pointer, which is moved and not brought back, into all lanes of `sum`. */
export function foldRun(
  f: FunctionBuilder,
  sum: Local<"v128">,
  lanes: number,
  pointer: Local<"i32">,
  fold: Fold,
  of: (x: Vector) => Vector = (x) => x,
): readonly number[] {
  const [x, start] = [f.scratch("folded"), foldStart(fold)];
  return eachVector(f, lanes, [pointer], (offset, tail) => {
    f.set(x, withTail(of(load(pointer, offset)), tail, start));
    f.set(sum, foldVector(sum, x, fold));
  });
}

/** Stores a vector of a run's end: whole with zeros where the lanes are the output's own, else those alone that count. */
export function storeTail(
  f: FunctionBuilder,
  at: Local<"i32">,
  offset: number,
  x: Local<"v128">,
  tail: number,
  padded: boolean,
): void {
  if (tail === 0) f.store(at, offset, x);
  else if (padded) f.store(at, offset, bits.and(x, laneMask(tail)));
  else f.storeLanes(at, offset, x, tail);
}
