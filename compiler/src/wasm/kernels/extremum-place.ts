import { i32, i32Add, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { less, lessOrEqual, toLong } from "../encode/scalar.js";
import { elementAt, loadElement, setElement } from "./element-access.js";
import type { Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Where along an axis the largest or smallest element is: ArgMax, ArgMin. */
export interface ExtremumPlaceOptions {
  readonly element: "f32" | "i32" | "i64";
  /** Around the axis: steps of input, output. */
  readonly axes: readonly Axis[];
  readonly count: number;
  readonly step: number;
  readonly largest: boolean;
  /** Of equal ones the last, else the first. */
  readonly last: boolean;
}

/** Loops: axes › along. Places are 64-bit integers. Parameters: input, output. */
export const extremumPlace: Kernel<ExtremumPlaceOptions> = {
  name: "extremum-place",
  emit({ element, axes, count, step, largest, last }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [best, x] = [f.local(element), f.local(element)];
    const [found, place] = [f.local("i32"), f.local("i32")];
    const beats = last ? lessOrEqual : less;
    const take = (at: Local<"i32">): void => {
      f.set(best, x);
      f.set(found, at);
    };
    nest(f, axes, f.parameters, () => {
      f.set(place, i32(0));
      f.set(x, loadElement(element, input));
      take(place);
      const [moved = 0] = nest(f, [{ count, steps: [step] }], [input], () => {
        f.set(x, loadElement(element, input));
        f.when(largest ? beats(best, x) : beats(x, best), () => take(place));
        f.set(place, i32Add(place, i32(1)));
      });
      f.storeLong(output, 0, toLong(found));
      return [moved, 0];
    });
    return f;
  },

  reference({ element, axes, count, step, largest, last }, memory, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      let found = 0;
      const read = (place: number) => elementAt(memory, element, input + place * step);
      for (let place = 1; place < count; place += 1) {
        const [best, x] = [read(found), read(place)];
        if (largest ? best < x : x < best) found = place;
        else if (last && x === best) found = place;
      }
      setElement(memory, "i64", output, BigInt(found));
    });
  },
};
