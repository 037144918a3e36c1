import { throwIfAborted } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import { mergeCommonSubexpressions } from "../rules/common-subexpressions.js";
import { simplifyRules } from "../rules/index.js";
import { moveTransposes } from "../rules/layout/move-transposes.js";
import type { Rule } from "../rules/rule.js";
import { runRules } from "../rules/run-rules.js";
import { dropDescriptions } from "./drop-descriptions.js";
import { dropUnused } from "./drop-unused.js";
import { dropDeadWeights } from "./dead-weights.js";
import { normalizeGraph } from "./normalize.js";
import { boolean } from "../pipeline/kinds.js";
import { option } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";

/**
 * Normalizes, then applies every rule of `rules/` until none applies, and drops what exporters wrote about nodes and
 * values. Makes no file larger, but for some tens of bytes where an operator is said in others, and a norm's scale of ones
 * (see `norm-parts.ts`).
 */
export const simplify = definePass({
  name: "simplify",
  summary: "fold constants, merge and drop nodes, recover fused operators",
  options: {
    keepMetadata: option(
      boolean,
      false,
      "keep what the file says about single nodes, values and tensors",
    ),
  },
  create: ({ keepMetadata }) => ({
    exactness: "rounding",
    async run(graph: Graph, context: PassContext): Promise<void> {
      if (!keepMetadata) dropDescriptions(graph);
      await simplifyGraph(graph, context);
    },
  }),
});

/** Two or three are enough; a rule that undoes another must not run for ever. */
const roundLimit = 16;

export async function simplifyGraph(
  graph: Graph,
  context: PassContext,
  rules: readonly Rule[] = simplifyRules,
): Promise<void> {
  normalizeGraph(graph);
  for (let round = 0; round < roundLimit; round += 1) {
    throwIfAborted(context.signal);
    context.onProgress?.(1 - 1 / (round + 1), `round ${round + 1}`);
    const before = graph.changes;
    await runRules(graph, rules, context);
    await mergeCommonSubexpressions(graph);
    dropUnused(graph);
    // Last: what nothing reads, or two nodes compute, would count as Transposes to gain.
    moveTransposes(graph);
    if (graph.changes === before) break;
  }
  // When all weights are what they will be: a folded scale makes some smaller.
  await dropDeadWeights(graph, context.signal);
}
