import type { ValueId } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { cut } from "../families/slice.js";
import type { Some } from "../schema/cells.js";
import type { sliceSchemas } from "../schema/slice.js";
import type { Gradient } from "./gradient.js";
import { placed } from "./placement.js";

export const sliceGradients: Some<typeof sliceSchemas, Gradient> = {
  /** What was cut out goes back to where it lay; elsewhere 0. */
  Slice(backward) {
    const { emit } = backward;
    const dims = backward.dims(0);
    const starts = backward.integers(1) ?? [];
    const ends = backward.integers(2) ?? [];
    const axes = backward.integers(3) ?? [...starts.keys()];
    const steps = backward.integers(4) ?? axes.map(() => 1);
    const dX = axes.reduce<ValueId>((value, given, at) => {
      const axis = normalAxis(given, dims.length);
      const size = dims[axis] ?? 1;
      const { start, step, count } = cut(
        axis,
        size,
        starts[at] ?? 0,
        ends[at] ?? 0,
        steps[at] ?? 1,
      );
      const positions = Array.from({ length: Number(count) }, (_, i) => Number(start) + i * step);
      return placed(emit, value, axis, positions, size);
    }, backward.cotangent());
    return [dX];
  },
};
