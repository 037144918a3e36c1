import type { Dim } from "./dim.js";
import type { Graph } from "./graph.js";
import type { ValueId } from "./ids.js";

/** The dims of a tensor; undefined where they are not known, even how many there are, or where the value is none. */
export function shapeOf(
  graph: Graph,
  value: ValueId | null | undefined,
): readonly Dim[] | undefined {
  if (value === null || value === undefined) return undefined;
  const constant = graph.constant(value);
  if (constant !== undefined) return constant.dims;
  const { type } = graph.value(value);
  return type.kind === "tensor" ? type.shape : undefined;
}
