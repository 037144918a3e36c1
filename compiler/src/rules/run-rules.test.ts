import { expect, it } from "vitest";
import { parseGraph } from "../ir/index.js";
import type { Rule } from "./rule.js";
import { runRules } from "./run-rules.js";

const three = `graph main opset 21 (x: float32[4]) -> (y) {
  %1 = Neg(x) : float32[4]
  %2 = Neg(%1) : float32[4]
  %3 = Neg(%2) : float32[4]
  return %3
}
`;

const costing = (work: number): Rule => ({
  name: "costing",
  exactness: "bitwise",
  ops: ["Neg"],
  match: (_, node) => ({
    because: "it may",
    work,
    rewrite: (editor) => editor.setOp(node.id, "Abs"),
  }),
});

it.each([
  [1, ["Abs", "Abs", "Abs"]],
  [2e8, ["Abs", "Abs", "Neg"]],
  [Infinity, ["Neg", "Neg", "Neg"]],
])("computes for all of a graph no more than a budget of work: %d a node", async (work, ops) => {
  const graph = parseGraph(three);
  await runRules(graph, [costing(work)], {});
  expect(graph.order().map(({ op }) => op)).toEqual(ops);
  const left = graph.journal.filter(({ what }) => what === "left");
  expect(left).toHaveLength(ops.filter((op) => op === "Neg").length);
});
