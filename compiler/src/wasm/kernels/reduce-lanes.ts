import { extractFloat, floats, loadSplat } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { foldRun, joinLanes } from "./across-lanes.js";
import { beginsWithFirst, type Fold, foldNumber, foldStart } from "./fold.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitUnary, evaluateUnary, type Unary } from "./unary.js";

/** Folds over the lanes, and over other axes besides them. One float is written for each run. */
export interface ReduceLanesOptions {
  /** Of the result: steps of input, output. */
  readonly axes: readonly Axis[];
  /** What is folded besides the lanes: steps of the input. */
  readonly taps: readonly Axis[];
  readonly lanes: number;
  readonly fold: Fold;
  readonly after: readonly Unary[];
}

/** Loops: axes › taps › vectors; at the end the four lanes are joined. Parameters: input, output. */
export const reduceLanes: Kernel<ReduceLanesOptions> = {
  name: "reduce-lanes",
  emit({ axes, taps, lanes, fold, after }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const sum = f.local("v128");
    nest(f, axes, f.parameters, () => {
      f.set(sum, beginsWithFirst(fold) ? loadSplat(input) : floats(foldStart(fold)));
      const [moved = 0] = nest(f, taps, [input], () => foldRun(f, sum, lanes, input, fold));
      joinLanes(f, sum, fold);
      for (const unary of after) emitUnary(f, sum, unary);
      f.storeFloat(output, 0, extractFloat(sum, 0));
      return [moved, 0];
    });
    return f;
  },

  reference({ axes, taps, lanes, fold, after }, { floats: memory }, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      let sum = beginsWithFirst(fold) ? (memory[input / floatBytes] ?? 0) : foldStart(fold);
      walk(taps, [input], ([from = 0]) => {
        for (let lane = 0; lane < lanes; lane += 1)
          sum = foldNumber(sum, memory[from / floatBytes + lane] ?? 0, fold);
      });
      memory[output / floatBytes] = after.reduce(evaluateUnary, sum);
    });
  },
};
