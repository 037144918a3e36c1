import type { NodeWhy, ReportStep, TargetName } from "@pare/runtime/format";
import type { Node } from "../../ir/index.js";
import { operatorOf } from "../../ops/index.js";
import type { Made } from "../candidate.js";

/**
 * What was done to each node of a chosen variant, and for the heavy ones that stayed float, why: what a pass said of
 * the node, or the verdict on the step that would have changed it.
 */
export function explain(
  target: TargetName,
  { written: { graph } }: Pick<Made, "written">,
  steps: readonly ReportStep[],
): readonly NodeWhy[] {
  const said = graph.journal.map(({ node, op, what, rule, reason }): NodeWhy => ({
    target,
    node,
    op,
    what,
    rule,
    reason,
  }));
  const known = new Set(said.map(({ node }) => node));
  const reverted = steps.filter(
    ({ name, verdict }) => verdict === "reverted" && name !== "simplify",
  );
  const reason = reverted.map(({ name, reason: why }) => `${name}: ${why}`).join("; ");
  const rest: NodeWhy[] = [];
  for (const node of graph.allNodes()) {
    const label = graph.nodeLabel(node);
    if (!isHeavy(node) || known.has(label)) continue;
    rest.push({
      target,
      node: label,
      op: node.op,
      what: "left",
      rule: "search",
      reason: reason === "" ? "no step of the recipe applies to it" : `stays float: ${reason}`,
    });
  }
  return [...said, ...rest];
}

/** Does a float operator multiply with weights? Such ones hold the work: their staying float is worth a reason. */
function isHeavy(node: Node): boolean {
  const traits = operatorOf(node)?.traits;
  return traits?.macs !== undefined && traits.weights !== undefined;
}
