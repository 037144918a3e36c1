import { FunctionBuilder } from "../encode/function-builder.js";
import { choose, equal, scalar } from "../encode/scalar.js";
import type { Element } from "./element.js";
import { elementAt, loadElement, setElement, storeElement, typeOf } from "./element-access.js";
import type { Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Elements of one kind become another's: Cast, and truth values where the model takes and gives them. */
export interface ConvertOptions {
  /** Steps of input, output. */
  readonly axes: readonly Axis[];
  readonly from: Element;
  readonly to: Element;
  /** What is not 0 becomes 1. */
  readonly truth: boolean;
}

/** Up to so many of the innermost are converted in one round. */
const mostUnrolled = 4;

/**
 * A float's rest is cut off, and beyond the integers it is the nearest of them; an integer's higher bits are cut off.
 * Loops: axes, one element a time. Parameters: input, output.
 */
export const convert: Kernel<ConvertOptions> = {
  name: "convert",
  emit({ axes, from, to, truth }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const one = (read: number, write: number): void => {
      const x = loadElement(from, input, read);
      const value = truth
        ? choose(equal(x, scalar(typeOf(from), 0)), scalar("i32", 0), scalar("i32", 1))
        : x;
      storeElement(f, to, output, write, value);
    };
    const last = axes.at(-1);
    const [read = 0, write = 0] = last?.steps ?? [];
    const count = last?.count ?? 1;
    const unroll = [mostUnrolled, 2].find((each) => count % each === 0) ?? 1;
    const rounds = { count: count / unroll, steps: [unroll * read, unroll * write] };
    nest(f, [...axes.slice(0, -1), rounds], f.parameters, () => {
      for (let at = 0; at < unroll; at += 1) one(at * read, at * write);
    });
    return f;
  },

  reference({ axes, from, to, truth }, memory, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      const x = elementAt(memory, from, input);
      setElement(memory, to, output, truth ? (Number(x) === 0 ? 0 : 1) : x);
    });
  },
};
