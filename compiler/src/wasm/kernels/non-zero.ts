import { i32 } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { equal, isZero, scalar, toLong } from "../encode/scalar.js";
import type { Element } from "./element.js";
import { elementAt, loadElement, typeOf } from "./element-access.js";
import { endRows } from "./found-rows.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { nest, walk } from "./nest.js";

/** Where elements are that are not 0. Steps are in bytes. */
export interface NonZeroOptions {
  readonly element: Element;
  /** Of what is looked at, outermost first. */
  readonly axes: readonly { readonly count: number; readonly step: number }[];
  /** From the place of one element to that of the next; a place is a 64-bit integer of each axis. */
  readonly rowStep: number;
  /** From an axis to the next. */
  readonly axisStep: number;
}

const longBytes = 8;

/** Loops: axes. Parameters: elements, places, their count (a 32-bit integer). */
export const nonZero: Kernel<NonZeroOptions> = {
  name: "non-zero",
  emit({ element, axes, rowStep, axisStep }) {
    const f = new FunctionBuilder(3);
    const [from, rows] = [f.parameter(0), f.parameter(1)];
    const row = f.local("i32");
    const place = axes.map(() => f.local("i32"));
    f.set(row, rows);
    for (const own of place) f.set(own, i32(0));
    const loops = axes.map(({ count, step }, axis) => ({
      count,
      steps: [step, ...place.map((_, at) => (at === axis ? 1 : 0))],
    }));
    nest(f, loops, [from, ...place], () => {
      const isNone = equal(loadElement(element, from), scalar(typeOf(element), 0));
      f.when(isZero(isNone), () => {
        for (const [axis, own] of place.entries()) f.storeLong(row, axis * axisStep, toLong(own));
        f.advance(row, rowStep);
      });
    });
    const numbers = axes.map((_, axis) => axis * axisStep);
    endRows(f, { rows, row, count: f.parameter(2), most: mostRows(axes), rowStep, numbers });
    return f;
  },

  reference({ element, axes, rowStep, axisStep }, memory, [from = 0, rows = 0, counted = 0]) {
    const found: (readonly number[])[] = [];
    const loops = axes.map(({ count, step }, axis) => ({
      count,
      steps: [step, ...axes.map((_, at) => (at === axis ? 1 : 0))],
    }));
    walk(loops, [from, ...axes.map(() => 0)], ([at = 0, ...place]) => {
      if (Number(elementAt(memory, element, at)) !== 0) found.push(place);
    });
    memory.integers[counted / floatBytes] = found.length;
    const [first] = found;
    if (first === undefined) return;
    for (let at = 0; at < mostRows(axes); at += 1)
      for (const [axis, own] of (found[at] ?? first).entries())
        memory.longs[(rows + at * rowStep + axis * axisStep) / longBytes] = BigInt(own);
  },
};

function mostRows(axes: NonZeroOptions["axes"]): number {
  return axes.reduce((product, { count }) => product * count, 1);
}
