import type { ValueId } from "../../ir/index.js";
import { byAxis, padded } from "../families/pad.js";
import type { Some } from "../schema/cells.js";
import type { padSchemas } from "../schema/pad.js";
import { backAlong } from "./along-axis.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";

/** What negative pads cut off. */
const cut = (counts: readonly number[]): readonly number[] =>
  counts.map((count) => Math.max(0, -count));

/** Constants around: what lies inside is kept, the rest is the constant's. Negative pads cut. */
function constantPad(
  backward: Backward,
  before: readonly number[],
  after: readonly number[],
): readonly (ValueId | null)[] {
  const { emit } = backward;
  const dims = backward.dims(0);
  const dY = backward.cotangent();
  const axes = [...dims.keys()];
  const size = emit.shape(dY);
  const inside = emit.slice(
    dY,
    axes,
    before.map((count) => Math.max(0, count)),
    axes.map((axis) => (size[axis] ?? 0) - Math.max(0, after[axis] ?? 0)),
    axes.map(() => 1),
  );
  return [
    backward.where(0, () => emit.pad(inside, cut(before), cut(after))),
    null,
    backward.where(2, () => {
      const whole = emit.subtract(emit.sum(dY, axes), emit.sum(inside, axes));
      return emit.reshape(whole, backward.dims(2));
    }),
    null,
  ];
}

export const padGradients: Some<typeof padSchemas, Gradient> = {
  Pad(backward) {
    const { emit, attributes } = backward;
    const dims = backward.dims(0);
    const axes = backward.integers(3) ?? [...dims.keys()];
    const pads = byAxis(backward.integers(1) ?? [], axes, dims.length);
    const mode = attributes.string("mode", "constant");
    const counts = (side: "before" | "after") =>
      dims.map((_, axis) => Number(pads.find((pad) => pad.axis === axis)?.[side] ?? 0));
    if (mode === "constant") return constantPad(backward, counts("before"), counts("after"));
    // Elements that were repeated get what all their copies get, axis by axis.
    const dX = pads.reduce<ValueId>((value, pad) => {
      const size = dims[pad.axis] ?? 1;
      if (pad.before === 0 && pad.after === 0) return value;
      const { indices } = padded([size], [{ ...pad, axis: 0 }], mode);
      const copies = Array.from(indices, (index) => [{ index, weight: 1 }]);
      return backAlong(emit, value, pad.axis, copies, size);
    }, backward.cotangent());
    return [dX];
  },
};
