import { floats, load, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { beginsWithFirst, type Fold, foldNumber, foldStart, foldVector } from "./fold.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { type Axis, balanced, nest, walk } from "./nest.js";
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

/** Neighbouring vectors that are folded side by side: one alone would wait for each of its own sums. */
const abreast = 4;

/** Loops: axes › taps › neighbouring vectors. Parameters: input, output. */
export const reduce: Kernel<ReduceOptions> = {
  name: "reduce",
  emit({ axes, taps, fold, after }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [x, sums, from] = [f.local("v128"), f.vectors(abreast), f.local("i32")];
    const last = axes.at(-1);
    const isRun = last?.steps.every((step) => step === vectorBytes) ?? false;
    const run = isRun ? (last?.count ?? 1) : 1;

    const vectors = (size: number): void => {
      const own = sums.slice(0, size);
      const join = (pointer: Local<"i32">, offset: number, isFirst: boolean): void => {
        const starts = isFirst && fold !== "sum-of-squares" && fold !== "sum-of-sizes";
        own.forEach((sum, at) => {
          f.set(x, load(pointer, offset + at * vectorBytes));
          f.set(sum, starts ? x : foldVector(isFirst ? floats(foldStart(fold)) : sum, x, fold));
        });
      };
      if (taps.reduce((product, { count }) => product * count, 1) <= straight) {
        let isFirst = true;
        walk(taps, [0], ([offset = 0]) => {
          join(input, offset, isFirst);
          isFirst = false;
        });
      } else {
        own.forEach((sum, at) => {
          const first = load(input, at * vectorBytes);
          f.set(sum, beginsWithFirst(fold) ? first : floats(foldStart(fold)));
        });
        f.set(from, input);
        nest(f, taps, [from], () => join(from, 0, false));
      }
      own.forEach((sum, at) => {
        for (const unary of after) emitUnary(f, sum, unary);
        f.store(output, at * vectorBytes, sum);
      });
    };
    nest(f, isRun ? axes.slice(0, -1) : axes, f.parameters, () => {
      for (const { size, count } of balanced(run, abreast))
        nest(f, [{ count, steps: f.parameters.map(() => size * vectorBytes) }], f.parameters, () =>
          vectors(size),
        );
      return f.parameters.map(() => run * vectorBytes);
    });
    return f;
  },

  reference({ axes, taps, fold, after }, { floats: memory }, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      for (let lane = 0; lane < laneCount; lane += 1) {
        const first = memory[input / floatBytes + lane] ?? 0;
        let sum = beginsWithFirst(fold) ? first : foldStart(fold);
        walk(taps, [input], ([from = 0]) => {
          sum = foldNumber(sum, memory[from / floatBytes + lane] ?? 0, fold);
        });
        memory[output / floatBytes + lane] = after.reduce(evaluateUnary, sum);
      }
    });
  },
};
