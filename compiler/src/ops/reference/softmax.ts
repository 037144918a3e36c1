import { elementCount } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { normalAxis } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { softmaxSchemas } from "../schema/softmax.js";
import type { Evaluation } from "./evaluation.js";

/** What becomes of one element, from the line's largest value and Σ exp(x − largest). */
type OfLine = (x: number, largest: number, sum: number, isFirstLargest: boolean) => number;

function alongLines(of: OfLine): Evaluation {
  return ({ input, attributes }) => {
    const x = input(0);
    const from = unpackNumbers(x);
    const axis = normalAxis(attributes.int("axis", -1), x.dims.length);
    const step = elementCount(x.dims.slice(axis + 1));
    const size = x.dims[axis] ?? 1;
    const values = new Float64Array(from.length);
    for (let line = 0; line * size < from.length; line += 1) {
      const start = Math.floor(line / step) * step * size + (line % step);
      let largest = -Infinity;
      let at = start;
      for (let i = start; i < start + size * step; i += step) {
        if ((from[i] ?? 0) > largest) {
          largest = from[i] ?? 0;
          at = i;
        }
      }
      let sum = 0;
      for (let i = start; i < start + size * step; i += step)
        sum += Math.exp((from[i] ?? 0) - largest);
      for (let i = start; i < start + size * step; i += step)
        values[i] = of(from[i] ?? 0, largest, sum, i === at);
    }
    return [denseOf(x.type, x.dims, values)];
  };
}

export const softmaxReferences: Some<typeof softmaxSchemas, Evaluation> = {
  Softmax: alongLines((x, largest, sum) => Math.exp(x - largest) / sum),
  LogSoftmax: alongLines((x, largest, sum) => x - largest - Math.log(sum)),
  Hardmax: alongLines((_, __, ___, isFirstLargest) => (isFirstLargest ? 1 : 0)),
};
