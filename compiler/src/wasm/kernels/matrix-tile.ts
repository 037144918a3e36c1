import type { Engine } from "../engine.js";
import {
  type Expression,
  f32x4,
  floats,
  i32Add,
  i32,
  i32Subtract,
  load,
  loadInteger,
  loadSplat,
  type Local,
  tee,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { emitEpilogue, type Epilogue, parametersOf, usesOther } from "./epilogue.js";
import { floatBytes, laneCount, vectorBytes } from "./kernel.js";
import { multiplyAdd } from "./multiply-add.js";
import { type Axis, nest } from "./nest.js";

/** What is summed for each result, and what is done to the sum. */
export interface SumOptions {
  /** Of the kernel, around the run: steps of the input. */
  readonly taps: readonly Axis[];
  /** Elements of the input that are summed over, and the bytes between two. */
  readonly run: { readonly count: number; readonly step: number };
  /** Vectors in a panel of the weights. */
  readonly panel: number;
  readonly bias: boolean;
  readonly epilogue: readonly Epilogue[];
}

/** Vectors of the result side by side, and the lanes of the last of them that count. */
export interface Panel {
  readonly vectors: number;
  readonly count: number;
  readonly tail: number;
}

/** Steps of the sum that are written one after the other rather than as a loop. */
const straight = 10;

/** Vectors of a panel, at most. */
const mostVectors = 3;

/** Sums that registers hold beside what they are made of. */
const mostSums = 12;

/** Few sums would wait for one another: they are split into so many, which are added up at the end. */
function splitsOf(sums: number, { fused }: Engine): number {
  if (sums > 6 || (sums === 6 && !fused)) return 1;
  return sums > 3 ? 2 : 4;
}

/** Code that computes tiles of results, and what it keeps in locals. */
export interface TileWriter {
  /** From one column to the next, of input, output, other. */
  readonly columns: readonly Local<"i32">[];
  /** In which the tile's places begin here, where they are listed. */
  readonly table: Local<"i32">;
  /** Writes a tile of so many places of one panel. Pointers stay where they are: on the first, or where the table counts from. */
  readonly write: (size: number, panel: Panel) => void;
}

/** Offsets of what is summed in one round of the loops, and the loops. */
function loopsOf(
  taps: SumOptions["taps"],
  run: SumOptions["run"],
): { readonly loops: readonly Axis[]; readonly written: readonly number[] } {
  if (run.count > straight) return { loops: taps, written: [] };
  let written = Array.from({ length: run.count }, (_, at) => at * run.step);
  let inside = taps.length;
  for (const { count, steps } of [...taps].reverse()) {
    if (count * written.length > straight) break;
    const own = written;
    written = Array.from({ length: count }, (_, tap) => tap * (steps[0] ?? 0)).flatMap((tap) =>
      own.map((offset) => tap + offset),
    );
    inside -= 1;
  }
  return { loops: taps.slice(0, inside), written };
}

/** For all shapes code is as alike as can be. It is to be made first: numbers are set where it is. */
export function tileWriter(
  f: FunctionBuilder,
  { taps, run, bias: hasBias, epilogue, panel: widest }: SumOptions,
  columnSteps: readonly number[],
  isListed: boolean,
  engine: Engine,
): TileWriter {
  const [input, weights, bias, output, other] = parametersOf(f);
  const { loops, written } = loopsOf(taps, run);
  const hasOther = usesOther(epilogue);
  // As many locals for all shapes, and so all code that is alike is the same.
  const [spread, held] = [f.local("v128"), f.vectors(Math.max(mostVectors, widest))];
  const sums = f.vectors(mostSums);
  const [from, weight] = [f.local("i32"), f.local("i32")];
  const [to, beside] = [f.local("i32"), f.local("i32")];
  const allColumns = [0, 1, 2].map((operand) => f.number(columnSteps[operand] ?? 0));
  const columns = allColumns.slice(0, hasOther ? 3 : 2);
  const roundCount = f.number(Math.floor(run.count / engine.matrix.unroll));
  const apart = Array.from({ length: mostSums }, () => f.local("i32"));

  /** Where in the table a tile's places begin. */
  const table = f.local("i32");
  const listed = (m: number, operand: number): Expression<"i32"> =>
    loadInteger(table, (m * columns.length + operand) * floatBytes);

  /** Where the tile's results read from: the first, and distances of the others from it. */
  const setInputs = (size: number): void => {
    f.set(from, isListed ? i32Add(input, listed(0, 0)) : input);
    for (let m = 1; m < size; m += 1) {
      const [local, before, column] = [apart[m], apart[m - 1], columns[0]];
      if (local === undefined || before === undefined || column === undefined) continue;
      if (isListed) f.set(local, i32Subtract(listed(m, 0), listed(0, 0)));
      else f.set(local, m === 1 ? column : i32Add(before, column));
    }
  };
  const follow = (local: Local<"i32">, pointer: Local<"i32">, m: number, operand: number): void => {
    const column = columns[operand];
    if (isListed) f.set(local, i32Add(pointer, listed(m, operand)));
    else if (m === 0) f.set(local, pointer);
    else if (column !== undefined) f.set(local, i32Add(local, column));
  };

  const write = (size: number, { vectors, tail }: Panel): void => {
    const splits = splitsOf(size * vectors, engine);
    const sum = (m: number, v: number, split = 0): Local<"v128"> =>
      sums[(split * size + m) * vectors + v] ?? spread;
    setInputs(size);
    for (let split = 0; split < splits; split += 1)
      for (let v = 0; v < vectors; v += 1)
        for (let m = 0; m < size; m += 1) {
          const starts = hasBias && split === 0;
          f.set(sum(m, v, split), starts ? load(bias, v * vectorBytes) : floats(0));
        }

    const bytesPerStep = vectors * vectorBytes;
    const step = (offset: number, at: number, turn: number) => {
      const own = held.slice(0, vectors);
      own.forEach((local, v) => f.set(local, load(weight, at + v * vectorBytes)));
      for (let m = 0; m < size; m += 1) {
        const x = loadSplat(m === 0 ? from : i32Add(from, apart[m] ?? from), offset);
        own.forEach((local, v) => {
          const into = sum(m, v, turn % splits);
          f.set(into, multiplyAdd(v === 0 ? tee(spread, x) : spread, local, into, engine.fused));
        });
      }
    };

    f.set(weight, weights);
    nest(f, loops, [from], () => {
      if (run.count <= straight) {
        written.forEach((offset, k) => step(offset, k * bytesPerStep, k));
        if (loops.length > 0) f.advance(weight, written.length * bytesPerStep);
        return [0];
      }
      // Sums that are split take turns: an iteration is as many steps.
      const unroll = Math.max(engine.matrix.unroll, splits);
      const rounds = Math.floor(run.count / unroll);
      const steps = (count: number) => {
        for (let k = 0; k < count; k += 1) step(k * run.step, k * bytesPerStep, k);
        f.advance(weight, count * bytesPerStep);
      };
      const round = () => {
        steps(unroll);
        f.advance(from, unroll * run.step);
      };
      f.times(rounds, round, unroll === engine.matrix.unroll ? roundCount : i32(rounds));
      if (run.count > rounds * unroll) steps(run.count - rounds * unroll);
      return [rounds * unroll * run.step];
    });

    for (let m = 0; m < size; m += 1) {
      follow(to, output, m, 1);
      if (hasOther) follow(beside, other, m, 2);
      for (let v = 0; v < vectors; v += 1) {
        f.set(spread, sum(m, v));
        for (let split = 1; split < splits; split += 1)
          f.set(spread, f32x4.add(spread, sum(m, v, split)));
        emitEpilogue(f, spread, load(beside, v * vectorBytes), epilogue, engine.fused);
        f.storeLanes(to, v * vectorBytes, spread, v === vectors - 1 ? tail : laneCount);
      }
    }
  };
  return { columns, table, write };
}
