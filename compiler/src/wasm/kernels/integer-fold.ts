import { FunctionBuilder } from "../encode/function-builder.js";
import { add, choose, divide, less, multiply, scalar } from "../encode/scalar.js";
import { elementAt, loadElement, setElement, storeElement } from "./element-access.js";
import type { Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Integers folded over axes, one after the other: sums, products, the least and the largest. */
export interface IntegerFoldOptions {
  readonly element: "i32" | "i64";
  /** Of the result: steps of input, output. */
  readonly axes: readonly Axis[];
  /** What is folded: steps of the input. */
  readonly taps: readonly Axis[];
  readonly fold: IntegerFold;
}

/** A mean is the sum over the number, cut off towards zero. */
export type IntegerFold = "sum" | "product" | "min" | "max" | "mean";

/** Loops: axes › taps. Results wrap around. Parameters: input, output. */
export const integerFold: Kernel<IntegerFoldOptions> = {
  name: "integer-fold",
  emit({ element, axes, taps, fold }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [result, x, from] = [f.local(element), f.local(element), f.local("i32")];
    const folds = {
      sum: add(result, x),
      mean: add(result, x),
      product: multiply(result, x),
      min: choose(less(x, result), x, result),
      max: choose(less(result, x), x, result),
    };
    const isOrder = fold === "min" || fold === "max";
    nest(f, axes, f.parameters, () => {
      f.set(result, isOrder ? loadElement(element, input) : scalar(element, startOf(fold)));
      f.set(from, input);
      nest(f, taps, [from], () => {
        f.set(x, loadElement(element, from));
        f.set(result, folds[fold]);
      });
      const count = scalar(element, countOf(taps));
      storeElement(f, element, output, 0, fold === "mean" ? divide(result, count) : result);
    });
    return f;
  },

  reference({ element, axes, taps, fold }, memory, at) {
    const bits = element === "i64" ? 64 : 32;
    walk(axes, at, ([input = 0, output = 0]) => {
      const found: bigint[] = [];
      walk(taps, [input], ([from = 0]) => {
        found.push(BigInt(elementAt(memory, element, from)));
      });
      const result = BigInt.asIntN(bits, folded(found, fold));
      setElement(memory, element, output, fold === "mean" ? result / BigInt(found.length) : result);
    });
  },
};

function countOf(taps: readonly Axis[]): number {
  return taps.reduce((product, { count }) => product * count, 1);
}

function startOf(fold: IntegerFold): number {
  return fold === "product" ? 1 : 0;
}

function folded(numbers: readonly bigint[], fold: IntegerFold): bigint {
  switch (fold) {
    case "sum":
    case "mean":
      return numbers.reduce((sum, x) => sum + x, 0n);
    case "product":
      return numbers.reduce((product, x) => product * x, 1n);
    case "min":
      return numbers.reduce((least, x) => (x < least ? x : least));
    case "max":
      return numbers.reduce((most, x) => (x > most ? x : most));
    default:
      return fold satisfies never;
  }
}
