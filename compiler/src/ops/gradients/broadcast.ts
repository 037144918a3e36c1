import type { ValueId } from "../../ir/index.js";
import type { Emitter } from "./emitter.js";

/** Sums a cotangent over the axes along which a value of `dims` was broadcast. */
export function unbroadcast(emit: Emitter, cotangent: ValueId, dims: readonly number[]): ValueId {
  const from = emit.shape(cotangent);
  const added = from.length - dims.length;
  const axes = [...from.keys()].filter(
    (axis) => axis < added || (dims[axis - added] === 1 && from[axis] !== 1),
  );
  const summed = axes.length === 0 ? cotangent : emit.sum(cotangent, axes);
  return emit.reshape(summed, dims);
}
