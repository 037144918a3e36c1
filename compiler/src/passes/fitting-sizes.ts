import { PareError } from "@pare/runtime/format";
import { type Graph, isStatic, type Node, type NodeId, shapeOf } from "../ir/index.js";
import { operatorOf, unmetDemand } from "../ops/index.js";
import { broadcastShapes } from "../ops/families/broadcast.js";

/** Nodes that cannot be computed of what they are given, and why. What lies in a body may never be asked for. */
export function misfits(graph: Graph): ReadonlyMap<NodeId, string> {
  const found = new Map<NodeId, string>();
  for (const node of graph.order()) {
    const why = unmetDemand(graph, node) ?? unjoined(graph, node);
    if (why !== undefined) found.set(node.id, why);
  }
  return found;
}

/**
 * @param before what did not fit before sizes were given: that is no fault of these
 * @throws PareError MODEL_SHAPE naming the first node that fits no longer
 */
export function demandFit(graph: Graph, before: ReadonlyMap<NodeId, string>): void {
  const after = misfits(graph);
  for (const node of graph.order()) {
    const why = before.has(node.id) ? undefined : after.get(node.id);
    if (why === undefined) continue;
    throw new PareError(
      "MODEL_SHAPE",
      `With the sizes that were given, ${node.op} cannot be computed: ${why}.`,
      {
        where: graph.nodeLabel(node),
        hint: "Give sizes that the model takes, by --shape or --dim: often multiples of a power of two, or those that it was exported with.",
      },
    );
  }
}

/** Operands of known sizes that do not broadcast to one another. */
function unjoined(graph: Graph, node: Node): string | undefined {
  if (operatorOf(node)?.traits.elementwise !== true) return undefined;
  const shapes = node.inputs.flatMap((id) => {
    const shape = id === null ? undefined : shapeOf(graph, id);
    return shape !== undefined && isStatic(shape) ? [shape] : [];
  });
  if (broadcastShapes(shapes) !== undefined) return undefined;
  return `its operands are ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")}`;
}
