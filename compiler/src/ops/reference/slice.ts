import { take } from "../elements/take.js";
import { normalAxis } from "../families/indexing.js";
import { cut, sliced } from "../families/slice.js";
import type { Some } from "../schema/cells.js";
import type { sliceSchemas } from "../schema/slice.js";
import { type Evaluation, givenNumbers } from "./evaluation.js";

export const sliceReferences: Some<typeof sliceSchemas, Evaluation> = {
  Slice(context) {
    const from = context.input(0);
    const { dims } = from;
    const starts = givenNumbers(context, 1, "starts") ?? [];
    const ends = givenNumbers(context, 2, "ends") ?? [];
    const axes = givenNumbers(context, 3, "axes") ?? [...starts.keys()];
    const strides = givenNumbers(context, 4, "steps") ?? [];
    const cuts = axes.map((axis, index) => {
      const at = normalAxis(axis, dims.length);
      return cut(at, dims[at] ?? 1, starts[index] ?? 0, ends[index] ?? 0, strides[index] ?? 1);
    });
    const moved = sliced(dims, cuts);
    return [take(from, moved.indices, moved.dims)];
  },
};
