import { bits, i32x4, integers as integersOf, load, loadSplat } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector, storeTail } from "./across-lanes.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** A step over time of sequences of several lengths. */
export interface HoldStateOptions {
  /** Batch items: steps of lengths, results, states. */
  readonly batch: readonly Axis[];
  readonly hidden: number;
}

/**
 * Of a sequence that is longer than the time at which the step is, the state becomes the result; that of one which has
 * ended stays, and its result is zeros. Of one that has no steps it becomes zeros, as onnxruntime has it. Loops: batch ›
 * vectors of units. Parameters: the time, lengths, results, states.
 */
export const holdState: Kernel<HoldStateOptions> = {
  name: "hold-state",
  emit({ batch, hidden }) {
    const f = new FunctionBuilder(4);
    const [time, length] = [f.parameter(0), f.parameter(1)];
    const [result, state] = [f.parameter(2), f.parameter(3)];
    const [now, goesOn] = [f.local("v128"), f.local("v128")];
    const [stays, x] = [f.local("v128"), f.local("v128")];
    f.set(now, loadSplat(time));
    nest(f, batch, [length, result, state], () => {
      f.set(goesOn, i32x4.greater(loadSplat(length), now));
      f.set(stays, bits.or(goesOn, i32x4.greater(now, integersOf(0))));
      const moved = eachVector(f, hidden, [result, state], (offset, tail) => {
        f.set(x, bits.and(bits.select(load(result, offset), load(state, offset), goesOn), stays));
        storeTail(f, state, offset, x, tail, false);
        f.set(x, bits.and(load(result, offset), goesOn));
        storeTail(f, result, offset, x, tail, false);
      });
      return [0, ...moved];
    });
    return f;
  },

  reference({ batch, hidden }, { floats, integers }, [time = 0, ...at]) {
    walk(batch, at, (pointers) => {
      const [length = 0, result = 0, state = 0] = pointers.map((p) => p / floatBytes);
      const now = integers[time / floatBytes] ?? 0;
      const goesOn = (integers[length] ?? 0) > now;
      for (let unit = 0; unit < hidden; unit += 1) {
        if (goesOn) floats[state + unit] = floats[result + unit] ?? 0;
        else if (now <= 0) floats[state + unit] = 0;
        if (!goesOn) floats[result + unit] = 0;
      }
    });
  },
};
