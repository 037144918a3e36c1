import { dtypeBytes, elementCount } from "@pare/runtime/format";
import type { Graph, Node, ValueId } from "../../ir/index.js";
import { keyOf } from "../../ops/index.js";
import { lowerings } from "./lowerings.js";
import { dimsOf, dtypeOf } from "./node-facts.js";
import type { RowsOf } from "./rows.js";

/** Winograd's products are computed in rounds, in memory that all share. */
const atEachRun: ReadonlySet<string> = new Set(["Conv"]);
/** What is quantized has forms of its own. */
const plain: ReadonlySet<string> = new Set(["float32", "int32", "int64", "bool"]);
/** So much memory they keep; what would take more is computed at each run, in memory that others have as well. */
const mostKept = 32 * 2 ** 20;

/**
 * Nodes that compute with constants alone, and that stayed nodes because a file with their results would be larger, such as
 * projections of relative positions. A module computes them once, when it is started.
 */
export function earlyNodes(graph: Graph, rows: RowsOf): ReadonlySet<Node> {
  const early = new Set<Node>();
  let left = mostKept;
  const isThere = (id: ValueId | null): boolean => {
    if (id === null || graph.constant(id) !== undefined) return true;
    const producer = graph.producer(id);
    return producer !== undefined && early.has(producer);
  };
  for (const node of graph.order()) {
    if (atEachRun.has(node.op) || !lowerings.has(keyOf(node)) || !node.inputs.every(isThere))
      continue;
    const bytes = node.outputs.map((id) => (id === null ? 0 : plainBytes(graph, id)));
    const own = bytes.reduce((sum, one) => sum + one, 0);
    const isCounted = node.outputs.some((id) => id !== null && rows.has(id));
    const reads = node.inputs.every((id) => id === null || Number.isFinite(plainBytes(graph, id)));
    if (isCounted || !reads || own > left) continue;
    left -= own;
    early.add(node);
  }
  return early;
}

/** Infinite for what is quantized. */
function plainBytes(graph: Graph, id: ValueId): number {
  const dtype = dtypeOf(graph, id);
  if (dtype === undefined || !plain.has(dtype)) return Infinity;
  return dtypeBytes(dtype, elementCount(dimsOf(graph, id)));
}
