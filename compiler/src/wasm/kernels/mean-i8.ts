import { floats, i32x4, integers, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { lanes, loadBytesAsHalves } from "../encode/integer-vectors.js";
import { eachBlock } from "./across-bytes.js";
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

/** Bytes that are widened at once. */
const width = 8;

/** Loops: axes › eight channels › taps. Parameters: input, output. */
export const meanI8: Kernel<MeanI8Options> = {
  name: "mean-i8",
  emit({ axes, taps, run, start, factor, result }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [low, high, x, from] = [
      f.local("v128"),
      f.local("v128"),
      f.local("v128"),
      f.local("i32"),
    ];
    const finish = (sum: Local<"v128">): void => {
      emitScaled(f, sum, floats(factor));
      emitResult(f, sum, result);
    };
    nest(f, axes, f.parameters, () =>
      eachBlock(f, run, width, f.parameters, [1, resultBytes(result)], (count) => {
        f.set(low, integers(start));
        f.set(high, integers(start));
        f.set(from, input);
        nest(f, taps, [from], () => {
          f.set(x, loadBytesAsHalves(from));
          f.set(low, i32x4.add(low, lanes.wordsOfLowHalves(x)));
          f.set(high, i32x4.add(high, lanes.wordsOfHighHalves(x)));
        });
        finish(low);
        finish(high);
        if (result.kind === "bytes") {
          emitBytes(f, x, [low, high], result);
          f.storeBytes(output, 0, x, count);
          return;
        }
        f.storeLanes(output, 0, low, Math.min(count, laneCount));
        f.storeLanes(output, vectorBytes, high, Math.max(0, count - laneCount));
      }),
    );
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
