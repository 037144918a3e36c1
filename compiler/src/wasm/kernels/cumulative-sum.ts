import { FunctionBuilder } from "../encode/function-builder.js";
import { add, scalar } from "../encode/scalar.js";
import { elementAt, loadElement, setElement, storeElement } from "./element-access.js";
import type { Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Sums of all elements of an axis so far. */
export interface CumulativeSumOptions {
  readonly element: "f32" | "i32" | "i64";
  /** Around the axis: steps of input, output. */
  readonly axes: readonly Axis[];
  /** The axis, in the order in which it is summed: backwards its steps are below 0. */
  readonly along: Axis;
  /** Of the elements before each, without its own. */
  readonly exclusive: boolean;
}

/** Loops: axes › along. Parameters: input, output, each on the first that is summed. */
export const cumulativeSum: Kernel<CumulativeSumOptions> = {
  name: "cumulative-sum",
  emit({ element, axes, along, exclusive }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [sum, next] = [f.local(element), f.local(element)];
    nest(f, axes, f.parameters, () => {
      f.set(sum, scalar(element, 0));
      return nest(f, [along], f.parameters, () => {
        f.set(next, add(sum, loadElement(element, input)));
        storeElement(f, element, output, 0, exclusive ? sum : next);
        f.set(sum, next);
      });
    });
    return f;
  },

  reference({ element, axes, along, exclusive }, memory, at) {
    walk(axes, at, (start) => {
      let sum: number | bigint = element === "i64" ? 0n : 0;
      walk([along], start, ([input = 0, output = 0]) => {
        const next = added(sum, elementAt(memory, element, input));
        setElement(memory, element, output, exclusive ? sum : next);
        sum = element === "f32" ? Math.fround(Number(next)) : next;
      });
    });
  },
};

function added(x: number | bigint, y: number | bigint): number | bigint {
  return typeof x === "bigint" && typeof y === "bigint" ? x + y : Number(x) + Number(y);
}
