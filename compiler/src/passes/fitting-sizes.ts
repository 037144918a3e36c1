import { PareError } from "@pare/runtime/format";
import { type Dim, type Graph, isStatic, type Node, type NodeId, shapeOf } from "../ir/index.js";
import { operatorOf, unmetDemand } from "../ops/index.js";
import { broadcastShapes } from "../ops/families/broadcast.js";

/** Nodes that cannot be computed of what they are given. What lies in a body may never be asked for. */
export function misfits(graph: Graph): ReadonlySet<NodeId> {
  const found = graph.order().filter((node) => misfit(graph, node) !== undefined);
  return new Set(found.map(({ id }) => id));
}

/**
 * @param before what did not fit before sizes were given: that is no fault of these
 * @throws PareError MODEL_SHAPE naming the first node that fits no longer
 */
export function demandFit(graph: Graph, before: ReadonlySet<NodeId>): void {
  for (const node of graph.order()) {
    const why = before.has(node.id) ? undefined : misfit(graph, node);
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

function misfit(graph: Graph, node: Node): string | undefined {
  return unmetDemand(graph, node) ?? unjoined(graph, node);
}

/** Operands of known sizes that do not broadcast to one another: what the first come to, and the next. */
function unjoined(graph: Graph, node: Node): string | undefined {
  if (operatorOf(node)?.traits.elementwise !== true) return undefined;
  let joined: readonly Dim[] = [];
  for (const id of node.inputs) {
    const shape = id === null ? undefined : shapeOf(graph, id);
    if (shape === undefined || !isStatic(shape)) continue;
    const next = broadcastShapes([joined, shape]);
    if (next === undefined)
      return `its operands are [${joined.join(", ")}] and [${shape.join(", ")}]`;
    joined = next;
  }
  return undefined;
}
