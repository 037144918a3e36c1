import type { StoredWeight } from "../../../analysis/stored-weights.js";
import type { Graph, Node, ValueId } from "../../../ir/index.js";
import type { BlockView } from "../../../quantize/block-view.js";

/** A Gather of whole rows, and how many axes its indices have. */
export interface RowReader {
  readonly node: Node;
  readonly indices: ValueId;
  readonly rank: number;
}

/**
 * The Gathers that read a table, where nothing else reads it and each row has scales of its own: then rows can be
 * gathered as integers, and only those that were asked for are decoded, at every run. Null where the whole is to be
 * decoded. With fewer than 8 bits or with blocks the rank of the indices must be known.
 */
export function rowReaders(
  graph: Graph,
  { value, tensor }: StoredWeight,
  { granularity, dims }: BlockView,
  bits: number,
): readonly RowReader[] | null {
  const perRow =
    tensor.dims.length === 2 &&
    dims.join() === tensor.dims.join() &&
    ((granularity.kind === "channel" && granularity.axis === 0) ||
      (granularity.kind === "block" && granularity.axis === 1));
  if (!perRow || graph.isOutput(value)) return null;
  const reshapes = bits < 8 || granularity.kind === "block";
  const readers: RowReader[] = [];
  for (const node of graph.consumers(value)) {
    const [table, indices] = node.inputs;
    if (!isRowGather(node) || table !== value || indices === value) return null;
    if (indices === null || indices === undefined) return null;
    const { type } = graph.value(indices);
    const shape = type.kind === "tensor" ? type.shape : undefined;
    if (shape === undefined && reshapes) return null;
    readers.push({ node, indices, rank: shape?.length ?? 0 });
  }
  return readers;
}

function isRowGather(node: Node): boolean {
  const axis = node.attributes.get("axis");
  return (
    node.op === "Gather" &&
    node.domain === "" &&
    (axis === undefined || (axis.type === "int" && axis.value === 0n))
  );
}
