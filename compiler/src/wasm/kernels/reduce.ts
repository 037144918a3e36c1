import { floats, load, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { type Fold, foldNumber, foldStart, foldVector } from "./fold.js";
import { floatBytes, type Kernel, laneCount } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitUnary, evaluateUnary, type Unary } from "./unary.js";

/** Folds over axes other than the lanes: pools, global pools, reductions. Whole vectors are read and written. */
export interface ReduceOptions {
  /** Of the result, vectors of lanes among them: steps of input, output. */
  readonly axes: readonly Axis[];
  /** What is folded: steps of the input. */
  readonly taps: readonly Axis[];
  readonly fold: Fold;
  /** What is made of the fold: the mean's factor, a root. */
  readonly after: readonly Unary[];
}

/** Up to this many elements are folded without a loop. */
const straight = 12;

/** Loops: axes › taps. Parameters: input, output. */
export const reduce: Kernel<ReduceOptions> = {
  name: "reduce",
  emit({ axes, taps, fold, after }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [sum, x, from] = [f.local("v128"), f.local("v128"), f.local("i32")];
    const join = (pointer: Local<"i32">, offset: number, isFirst: boolean): void => {
      const starts = isFirst && fold !== "sum-of-squares" && fold !== "sum-of-sizes";
      f.set(x, load(pointer, offset));
      f.set(sum, starts ? x : foldVector(isFirst ? floats(foldStart(fold)) : sum, x, fold));
    };
    nest(f, axes, f.parameters, () => {
      if (taps.reduce((product, { count }) => product * count, 1) <= straight) {
        let isFirst = true;
        walk(taps, [0], ([offset = 0]) => {
          join(input, offset, isFirst);
          isFirst = false;
        });
      } else {
        f.set(sum, floats(foldStart(fold)));
        f.set(from, input);
        nest(f, taps, [from], () => join(from, 0, false));
      }
      for (const unary of after) emitUnary(f, sum, unary);
      f.store(output, 0, sum);
    });
    return f;
  },

  reference({ axes, taps, fold, after }, { floats: memory }, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      for (let lane = 0; lane < laneCount; lane += 1) {
        let sum = foldStart(fold);
        walk(taps, [input], ([from = 0]) => {
          sum = foldNumber(sum, memory[from / floatBytes + lane] ?? 0, fold);
        });
        memory[output / floatBytes + lane] = after.reduce(evaluateUnary, sum);
      }
    });
  },
};
