import type { Graph, Node, NodeId } from "../ir/index.js";
import { atNodes } from "../rules/at-nodes.js";
import { inlineIf } from "../rules/control-flow.js";
import { foldConstants } from "../rules/fold-constants.js";
import { runRules } from "../rules/run-rules.js";
import { foldShapeValues } from "../rules/shape-values.js";

/**
 * Takes out branches that are never taken, now that inputs have sizes or values. Engines look at all branches when they load
 * a model, and refuse one that does not fit what can never come to it; and what is in a branch is no weight that can be
 * trained, pruned or quantized.
 */
export async function dropBranches(graph: Graph): Promise<void> {
  for (;;) {
    const branches = graph.order().filter(isIf);
    if (branches.length === 0) return;
    const before = graph.changes;
    const rules = [foldShapeValues, foldConstants, inlineIf];
    await runRules(graph, atNodes(decidedBy(graph, branches), rules), {});
    // What is taken out brings those to light that were in it.
    if (graph.changes === before) return;
  }
}

function isIf({ op, domain }: Node): boolean {
  return op === "If" && domain === "";
}

/** Ifs, and all that their conditions are computed by. */
function decidedBy(graph: Graph, branches: readonly Node[]): ReadonlySet<NodeId> {
  const found = new Set(branches.map(({ id }) => id));
  const pending = branches.flatMap(({ inputs }) => inputs.slice(0, 1));
  for (;;) {
    const id = pending.pop();
    if (id === undefined) return found;
    const producer = graph.producer(id ?? undefined);
    if (producer === undefined || found.has(producer.id)) continue;
    found.add(producer.id);
    for (const input of producer.inputs) pending.push(input);
  }
}
