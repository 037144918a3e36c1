import { load, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { bytes as lanes } from "../encode/integer-vectors.js";
import { eachBlock } from "./across-bytes.js";
import { type Kernel, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** The largest byte of several at each place: pools. */
export interface LargestI8Options {
  /** Of the result, around a run: steps of input, output. */
  readonly axes: readonly Axis[];
  /** What is compared: steps of the input. */
  readonly taps: readonly Axis[];
  /** Bytes next to one another, in both. */
  readonly run: number;
}

/** Up to this many are compared without a loop. */
const straight = 12;

/** Loops: axes › vectors › taps. Parameters: input, output. */
export const largestI8: Kernel<LargestI8Options> = {
  name: "largest-i8",
  emit({ axes, taps, run }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [most, from] = [f.local("v128"), f.local("i32")];
    const join = (at: Local<"i32">, offset: number, isFirst: boolean): void => {
      const x = load(at, offset);
      f.set(most, isFirst ? x : lanes.larger(most, x));
    };
    nest(f, axes, f.parameters, () =>
      eachBlock(f, run, vectorBytes, f.parameters, [1, 1], (count) => {
        if (taps.reduce((product, { count: own }) => product * own, 1) <= straight) {
          let isFirst = true;
          walk(taps, [0], ([offset = 0]) => {
            join(input, offset, isFirst);
            isFirst = false;
          });
        } else {
          join(input, 0, true);
          f.set(from, input);
          nest(f, taps, [from], () => join(from, 0, false));
        }
        f.storeBytes(output, 0, most, count);
      }),
    );
    return f;
  },

  reference({ axes, taps, run }, { bytes }, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      for (let i = 0; i < run; i += 1) {
        let most = 0;
        walk(taps, [input + i], ([from = 0]) => (most = Math.max(most, bytes[from] ?? 0)));
        bytes[output + i] = most;
      }
    });
  },
};
