import { attribute, type ValueId } from "../../ir/index.js";
import type { Step } from "./adapter.js";

/** A width, where it is known: what is left over is none where a batch or a length is 0. */
type Width = number | undefined;

/** [batch, length, heads · width] as [batch, heads, length, width] */
export function byHead(step: Step, x: ValueId, heads: number, width: Width): ValueId {
  const split = step.add("Reshape", [x, step.int64("shape", [0, 0, heads, width ?? -1])]);
  return step.add("Transpose", [split], { perm: attribute.ints([0, 2, 1, 3]) });
}

/** [batch, heads, length, width] as [batch, length, heads · width]. @param all heads · width */
export function together(step: Step, x: ValueId, all: Width): ValueId {
  const turned = step.add("Transpose", [x], { perm: attribute.ints([0, 2, 1, 3]) });
  return step.add("Reshape", [turned, step.int64("shape", [0, 0, all ?? -1])]);
}
