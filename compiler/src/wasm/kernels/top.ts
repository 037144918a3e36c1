import { type Expression, i32, i32Add, loadLong } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { less, multiply, toLong } from "../encode/scalar.js";
import { elementAt, loadElement, setElement, storeElement } from "./element-access.js";
import type { Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** The first few elements of an axis by size, sorted, and where they were. */
export interface TopOptions {
  readonly element: "f32" | "i32" | "i64";
  /** Around the axis: steps of input, values, places. */
  readonly axes: readonly Axis[];
  readonly count: number;
  /** Along the axis: of input, values, places. */
  readonly steps: readonly [input: number, values: number, places: number];
  /** How many are wanted: one at least, `count` at most. */
  readonly wanted: number;
  readonly largest: boolean;
}

/**
 * Those found so far lie sorted where the results belong; each element that is better than the last of them is put in its
 * place among them, which moves the others by one. Of equal ones the first stay before. Places are 64-bit integers.
 * Loops: axes › along › back through what was found. Parameters: input, values, places.
 */
export const top: Kernel<TopOptions> = {
  name: "top",
  emit({ element, axes, count, steps, wanted, largest }) {
    const f = new FunctionBuilder(3);
    const [input, values, places] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const [inputStep, valueStep, placeStep] = steps;
    const x = f.local(element);
    const [index, found, slot] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [value, place, goes] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const isBetter = (than: Expression<"i32">): Expression<"i32"> => {
      const other = loadElement(element, than);
      return largest ? less(other, x) : less(x, other);
    };
    const isNotFirst = less(values, value);
    const moveOne = (): void => {
      const [before, placeBefore] = [f.local("i32"), f.local("i32")];
      f.set(before, i32Add(value, i32(-valueStep)));
      f.set(placeBefore, i32Add(place, i32(-placeStep)));
      storeElement(f, element, value, 0, loadElement(element, before));
      f.storeLong(place, 0, loadLong(placeBefore));
      f.set(value, before);
      f.set(place, placeBefore);
      f.set(goes, isNotFirst);
    };
    const insert = (): void => {
      f.set(value, i32Add(values, multiply(slot, i32(valueStep))));
      f.set(place, i32Add(places, multiply(slot, i32(placeStep))));
      f.set(goes, isNotFirst);
      f.repeatWhile(goes, () =>
        f.when(isBetter(i32Add(value, i32(-valueStep))), moveOne, () => f.set(goes, i32(0))),
      );
      storeElement(f, element, value, 0, x);
      f.storeLong(place, 0, toLong(index));
    };
    nest(f, axes, f.parameters, () => {
      f.set(index, i32(0));
      f.set(found, i32(0));
      const [moved = 0] = nest(f, [{ count, steps: [inputStep] }], [input], () => {
        f.set(x, loadElement(element, input));
        f.when(
          less(found, i32(wanted)),
          () => {
            f.set(slot, found);
            f.set(found, i32Add(found, i32(1)));
            f.set(goes, i32(1));
          },
          () => {
            f.set(slot, i32(wanted - 1));
            f.set(goes, isBetter(i32Add(values, i32((wanted - 1) * valueStep))));
          },
        );
        f.when(goes, insert);
        f.set(index, i32Add(index, i32(1)));
      });
      return [moved, 0, 0];
    });
    return f;
  },

  reference({ element, axes, count, steps, wanted, largest }, memory, at) {
    const [inputStep, valueStep, placeStep] = steps;
    walk(axes, at, ([input = 0, values = 0, places = 0]) => {
      const all = Array.from({ length: count }, (_, index) => ({
        index,
        x: elementAt(memory, element, input + index * inputStep),
      }));
      // The sort is stable: of equal ones the first stay before.
      all.sort((a, b) => (a.x === b.x ? 0 : a.x > b.x === largest ? -1 : 1));
      for (const [slot, { index, x }] of all.slice(0, wanted).entries()) {
        setElement(memory, element, values + slot * valueStep, x);
        setElement(memory, "i64", places + slot * placeStep, BigInt(index));
      }
    });
  },
};
