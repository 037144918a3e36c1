import { type Expression, i32x4, integers, load } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { halves, lanes } from "../encode/integer-vectors.js";
import { numbersOfBytes } from "../engine.js";
import { eachBlock } from "./across-bytes.js";
import { bitsOf } from "./curve-i8.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import {
  emitBytes,
  emitResult,
  emitScaled,
  type Result,
  resultBytes,
  resultByte,
  scaled,
} from "./rounding-i8.js";

/** Sums of bytes times a factor: means over a window or over all of an image. */
export interface MeanI8Options {
  /** Of the result, around a run: steps of input, output. */
  readonly axes: readonly Axis[];
  /** What is summed: steps of the input. */
  readonly taps: readonly Axis[];
  /** Elements next to one another, in both. */
  readonly run: number;
  /** Where sums begin: what zero points come to, taken off. */
  readonly start: number;
  readonly factor: number;
  readonly result: Result;
}

/** As many bytes are added up in 16 bits. */
const mostTogether = 257;

/** Vectors of 32-bit lanes that one of bytes becomes. */
const parts = vectorBytes / 4;

/** Loops: axes › sixteen channels › taps, few enough at once for sums of 16 bits. Parameters: input, output. */
export const meanI8: Kernel<MeanI8Options> = {
  name: "mean-i8",
  emit({ axes, taps, run, start, factor, result }) {
    const f = new FunctionBuilder(2, numbersOfBytes);
    const number = (value: number): Expression<"i32"> => f.figure(value);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [low, high, x] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const sums = f.vectors(parts);
    const from = f.local("i32");
    const { outer, inner } = cutTaps(taps);
    const addTogether = (): readonly number[] => {
      f.set(low, integers(0));
      f.set(high, integers(0));
      const moved = nest(
        f,
        inner,
        [from],
        () => {
          f.set(x, load(from));
          f.set(low, halves.add(low, lanes.halvesOfBytes(x)));
          f.set(high, halves.add(high, lanes.highHalvesOfBytes(x)));
        },
        number,
      );
      sums.forEach((sum, at) => {
        const half = at < parts / 2 ? low : high;
        const words = at % 2 === 0 ? lanes.wordsOfLowHalves(half) : lanes.wordsOfHighHalves(half);
        f.set(sum, i32x4.add(sum, words));
      });
      return moved;
    };
    const block = (count: number): void => {
      for (const sum of sums) f.set(sum, f.spread("start", start));
      f.set(from, input);
      nest(f, outer, [from], addTogether, number);
      for (const sum of sums) {
        emitScaled(f, sum, f.spread("factor", bitsOf(factor)));
        emitResult(f, sum, result);
      }
      if (result.kind === "bytes") {
        emitBytes(f, x, sums, result);
        f.storeBytes(output, 0, x, count);
        return;
      }
      sums.forEach((sum, at) => {
        const own = Math.max(0, Math.min(laneCount, count - at * laneCount));
        f.storeLanes(output, at * vectorBytes, sum, own);
      });
    };
    const steps = [1, resultBytes(result)];
    const overBlocks = () => eachBlock(f, run, vectorBytes, f.parameters, steps, block, number);
    nest(f, axes, f.parameters, overBlocks, number);
    return f;
  },

  reference({ axes, taps, run, start, factor, result }, { floats: memory, bytes }, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      for (let i = 0; i < run; i += 1) {
        let sum = start;
        walk(taps, [input + i], ([from = 0]) => (sum = (sum + (bytes[from] ?? 0)) | 0));
        const value = scaled(sum, Math.fround(factor));
        if (result.kind === "bytes") bytes[output + i] = resultByte(value, result);
        else memory[output / floatBytes + i] = value;
      }
    });
  },
};

/** The same taps as loops around loops of few enough. */
function cutTaps(taps: readonly Axis[]): {
  readonly outer: readonly Axis[];
  readonly inner: readonly Axis[];
} {
  const [outer, inner] = [[...taps], [] as Axis[]];
  let left = mostTogether;
  for (let axis = outer.pop(); axis !== undefined; axis = outer.pop()) {
    const { count, steps } = axis;
    let together = Math.min(count, left);
    while (count % together !== 0) together -= 1;
    if (together > 1 || count === 1) inner.unshift({ count: together, steps });
    if (together < count) {
      outer.push({ count: count / together, steps: steps.map((step) => step * together) });
      break;
    }
    left = Math.floor(left / together);
  }
  return { outer, inner };
}
