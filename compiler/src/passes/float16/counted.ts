import type { Dtype } from "@pare/runtime/format";
import { type Graph, type Node, type NodeId, shapeOf, type ValueId } from "../../ir/index.js";
import { dtypeOf, inputOf, outputOf } from "../../rules/pattern.js";
import { carries, isElementwise } from "./carries.js";

/**
 * Nodes that compute with what was counted: positions, lengths and sizes that came from integers, and constants.
 * float16 cannot tell 2049 from 2048, and angles of positions would be off by more. They are small beside what they are for.
 * @param masks constants beyond float16, whose products are to be cut off as they are
 * @param dtype in which they compute
 */
export function countedNodes(
  graph: Graph,
  masks: ReadonlySet<ValueId>,
  dtype: "float32" | "float64" = "float32",
): ReadonlySet<NodeId> {
  const counted = new Set<ValueId>();
  const nodes = new Set<NodeId>();
  for (const body of graph.allBodies())
    for (const node of graph.order(body)) {
      if (!begins(graph, node, dtype) && !goesOn(graph, node, counted, masks, dtype)) continue;
      nodes.add(node.id);
      for (const output of node.outputs)
        if (output !== null && dtypeOf(graph, output) === dtype) counted.add(output);
    }
  return nodes;
}

/** What counts. Bytes are pixels more often than places. */
export const counting: ReadonlySet<string | undefined> = new Set([
  "int32",
  "int64",
  "uint32",
  "uint64",
]);

/** Each position times each frequency. */
function isOuterProduct(graph: Graph, node: Node): boolean {
  return node.op === "MatMul" && shapeOf(graph, inputOf(node, 0))?.at(-1) === 1;
}

function begins(graph: Graph, node: Node, dtype: Dtype): boolean {
  if (dtypeOf(graph, outputOf(node)) !== dtype) return false;
  const isCounted = node.op === "Cast" && counting.has(dtypeOf(graph, inputOf(node, 0)));
  return isCounted || node.op === "Range";
}

/** From counted values, and constants, alone. */
function goesOn(
  graph: Graph,
  node: Node,
  counted: ReadonlySet<ValueId>,
  masks: ReadonlySet<ValueId>,
  dtype: Dtype,
): boolean {
  if (!isElementwise(node) && !carries(node) && !isOuterProduct(graph, node)) return false;
  const given = node.inputs.filter((input) => input !== null);
  if (!given.some((input) => counted.has(input))) return false;
  return given.every((input) => {
    const isConstant = graph.constant(input) !== undefined && !masks.has(input);
    // What is gathered, or chosen, by.
    return counted.has(input) || isConstant || dtypeOf(graph, input) !== dtype;
  });
}
