import {
  bits,
  f32x4,
  floats,
  laneMask,
  load,
  loadSome,
  type Local,
  shuffle,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { joinLanes } from "./across-lanes.js";
import {
  emitEpilogue,
  type Epilogue,
  evaluateEpilogue,
  parametersOf,
  usesOther,
} from "./epilogue.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { multiplyAdd } from "./multiply-add.js";
import { type Axis, equal, nest, walk } from "./nest.js";

/** A convolution of which each place has few results: what is summed over lies along the lanes, not they. */
export interface DotsOptions {
  /** Around it all: steps of all five parameters. */
  readonly batch: readonly Axis[];
  /** Of the result: steps of input, output, other. */
  readonly rows: Axis;
  readonly columns: Axis;
  /** Of the kernel, around the run: steps of the input. */
  readonly taps: readonly Axis[];
  /** Floats of the input that lie behind one another, and are summed over. */
  readonly run: number;
  /** Channels of the result: at most `mostDots`. */
  readonly outputs: number;
  /** What is behind the last channel, up to a whole vector, is the output's own. */
  readonly padded: boolean;
  readonly bias: boolean;
  readonly epilogue: readonly Epilogue[];
}

/** More results of a place are as many lanes as a vector has, or nearly. */
export const mostDots = 3;

/** Sums that registers hold beside what they are made of. */
const mostSums = 12;
/** Places of a tile: more share no more. */
const mostPlaces = 6;
/** Vectors of a run that are written one after the other rather than as a loop, and in each round of one. */
const straight = 4;
const unroll = 2;

/**
 * A tile's sums stay in registers, four partial sums in the lanes of each:
 *
 *     sums[m][n] += input[m] · weights[n]        m < 6 places, n < 3 results, m · n ≤ 12
 *
 * and are joined at its end. Loops: batch › rows › tiles › taps › vectors of the run. Parameters: input, weights, bias,
 * output, other.
 */
export const dots: Kernel<DotsOptions> = {
  name: "dots",
  emit(options, engine) {
    const { batch, rows, columns, taps, run, outputs, padded, bias: hasBias, epilogue } = options;
    const f = new FunctionBuilder(5);
    const [input, weights, bias, output, other] = parametersOf(f);
    const moving = usesOther(epilogue) ? [input, output, other] : [input, output];
    const [whole, rest] = [Math.floor(run / laneCount), run % laneCount];
    const [from, weight] = [f.local("i32"), f.local("i32")];
    const [sums, held, x] = [f.vectors(mostSums), f.vectors(mostDots), f.local("v128")];
    const [columnStep = 0] = columns.steps;

    const sum = (m: number, n: number): Local<"v128"> => sums[m * outputs + n] ?? x;

    const write = (places: number): void => {
      for (let at = 0; at < places * outputs; at += 1) f.set(sums[at] ?? x, floats(0));
      f.set(from, input);
      f.set(weight, weights);
      const step = (at: number, read: (offset: number) => Vector): void => {
        const own = held.slice(0, outputs);
        own.forEach((local, n) => f.set(local, load(weight, (at * outputs + n) * vectorBytes)));
        for (let m = 0; m < places; m += 1) {
          f.set(x, read(at * vectorBytes + m * columnStep));
          own.forEach((local, n) =>
            f.set(sum(m, n), multiplyAdd(x, local, sum(m, n), engine.fused)),
          );
        }
      };
      const steps = (count: number): void => {
        for (let at = 0; at < count; at += 1) step(at, (offset) => load(from, offset));
      };
      const advance = (count: number): void => {
        f.advance(from, count * vectorBytes);
        f.advance(weight, count * outputs * vectorBytes);
      };
      nest(f, taps, [from], () => {
        const rounds = whole > straight ? Math.floor(whole / unroll) : 0;
        f.times(rounds, () => {
          steps(unroll);
          advance(unroll);
        });
        const left = whole - rounds * unroll;
        steps(left);
        if (rest > 0) step(left, (offset) => loadSome(rest, from, offset));
        if (taps.length > 0) f.advance(weight, (left + Math.sign(rest)) * outputs * vectorBytes);
        return [rounds * unroll * vectorBytes];
      });
      for (let m = 0; m < places; m += 1) {
        const own = Array.from({ length: outputs }, (_, n) => sum(m, n));
        own.forEach((local) => joinLanes(f, local, "sum"));
        // Behind the last channel lie sums of nothing, where it is the output's.
        const together = padded ? bits.and(sideBySide(own), laneMask(outputs)) : sideBySide(own);
        f.set(x, hasBias ? f32x4.add(together, load(bias)) : together);
        const beside = load(other, m * (columns.steps[2] ?? 0));
        emitEpilogue(f, x, beside, epilogue, engine.fused);
        const to = m * (columns.steps[1] ?? 0);
        f.storeLanes(output, to, x, padded ? laneCount : outputs);
      }
    };

    nest(f, batch, f.parameters, () => {
      const moved = nest(f, [rows], moving, () => {
        for (const { size, count } of equal(columns.count, mostPlacesOf(outputs)))
          f.times(count, () => {
            write(size);
            moving.forEach((pointer, at) => f.advance(pointer, size * (columns.steps[at] ?? 0)));
          });
        return moving.map((_, at) => columns.count * (columns.steps[at] ?? 0));
      });
      return [moved[0] ?? 0, 0, 0, moved[1] ?? 0, moved[2] ?? 0];
    });
    return f;
  },

  reference(options, { floats: memory }, at) {
    const { batch, rows, columns, taps, run, outputs, padded, bias: hasBias, epilogue } = options;
    walk(batch, at, ([input = 0, weights = 0, bias = 0, output = 0, other = 0]) => {
      walk([rows, columns], [input, output, other], ([x = 0, y = 0, z = 0]) => {
        for (let n = 0; n < (padded ? laneCount : outputs); n += 1) {
          let sum = hasBias ? (memory[bias / floatBytes + n] ?? 0) : 0;
          let tap = 0;
          walk(taps, [x], ([from = 0]) => {
            // What is behind the last channel has no weights.
            const count = n < outputs ? run : 0;
            for (let i = 0; i < count; i += 1) {
              const place = weights / floatBytes + dotAt(tap, i, n, run, outputs);
              sum += (memory[from / floatBytes + i] ?? 0) * (memory[place] ?? 0);
            }
            tap += 1;
          });
          const beside = memory[z / floatBytes + n] ?? 0;
          memory[y / floatBytes + n] = evaluateEpilogue(sum, beside, epilogue);
        }
      });
    });
  },
};

function mostPlacesOf(outputs: number): number {
  return Math.min(mostPlaces, Math.floor(mostSums / outputs));
}

/** What all lanes of so many vectors hold, side by side in the first ones of one. */
function sideBySide([first, second, third]: readonly Vector[]): Vector {
  if (first === undefined) return floats(0);
  if (second === undefined) return first;
  const two = shuffle(first, second, [0, 4, 1, 5]);
  return third === undefined ? two : shuffle(two, third, [0, 1, 4, 5]);
}

/** Where in packed weights the i-th of a tap's run lies for result n: by vectors of the run, zeros behind its last. */
export function dotAt(tap: number, i: number, n: number, run: number, outputs: number): number {
  const vector = tap * vectorsOf(run) + Math.floor(i / laneCount);
  return (vector * outputs + n) * laneCount + (i % laneCount);
}

/** Floats of packed weights. */
export function dotsLength(taps: number, run: number, outputs: number): number {
  return taps * vectorsOf(run) * outputs * laneCount;
}
