import type { Graph, NodeId, ValueId } from "../../ir/index.js";
import { atNodes } from "../../rules/at-nodes.js";
import { foldConstants } from "../../rules/fold-constants.js";
import { runRules } from "../../rules/run-rules.js";
import { foldShapeValues } from "../../rules/shape-values.js";
import { bindBatch, type SampleDims } from "../../train/bind-batch.js";

/**
 * Gives a model the dims of one sample, and computes what follows from sizes alone: gradients need shapes that are numbers,
 * and some are computed by way of floats. What is learned stays where it is, also a table that is looked up by positions.
 */
export async function fixSizes(
  graph: Graph,
  samples: SampleDims,
  learned: ReadonlySet<ValueId> = new Set(),
): Promise<void> {
  bindBatch(graph, samples, 1);
  await runRules(
    graph,
    atNodes(nodesOfSizes(graph, learned), [foldShapeValues, foldConstants]),
    {},
  );
}

/** Nodes that compute with what Shape and Size say, and with nothing else but constants that nobody learns. */
function nodesOfSizes(graph: Graph, learned: ReadonlySet<ValueId>): ReadonlySet<NodeId> {
  const values = new Set<ValueId>();
  const nodes = new Set<NodeId>();
  for (const node of graph.order()) {
    const given = node.inputs.flatMap((id) => id ?? []);
    if (given.some((id) => learned.has(id))) continue;
    const made = given.filter((id) => graph.constant(id) === undefined);
    const says = node.domain === "" && (node.op === "Shape" || node.op === "Size");
    if (!says && (made.length === 0 || !made.every((id) => values.has(id)))) continue;
    nodes.add(node.id);
    for (const id of node.outputs) if (id !== null) values.add(id);
  }
  return nodes;
}
