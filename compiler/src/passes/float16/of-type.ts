import type { Dtype } from "@pare/runtime/format";
import type { Graph, ValueId } from "../../ir/index.js";

/** Is a value a tensor of one of these types? */
export function isOfType(
  graph: Graph,
  value: ValueId | null | undefined,
  dtypes: readonly Dtype[],
): boolean {
  if (value === null || value === undefined) return false;
  const { type } = graph.value(value);
  return type.kind === "tensor" && type.dtype !== undefined && dtypes.includes(type.dtype);
}
