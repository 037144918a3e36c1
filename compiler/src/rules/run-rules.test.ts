import { expect, it } from "vitest";
import { attribute, parseGraph } from "../ir/index.js";
import { inferNode } from "../ops/index.js";
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
  const graph = parseGraph(three, { infer: inferNode });
  await runRules(graph, [costing(work)], {});
  expect(graph.order().map(({ op }) => op)).toEqual(ops);
  const left = graph.journal.filter(({ what }) => what === "left");
  expect(left).toHaveLength(ops.filter((op) => op === "Neg").length);
});

it("undoes what would make a value another one, and says so", async () => {
  const graph = parseGraph(
    `graph main opset 21 (x: float32[4]) -> (y) {
  %1 = Neg(x) : float32[4]
  %2 = ReduceSum(%1) {keepdims = 0} : float32[]
  return %2
}
`,
    { infer: inferNode },
  );
  const widening: Rule = {
    name: "widening",
    exactness: "bitwise",
    ops: ["Neg"],
    match: (_, node) => ({
      because: "it may",
      rewrite: (editor) => {
        const [x] = node.inputs;
        const [y] = node.outputs;
        if (typeof x !== "number" || typeof y !== "number") throw new Error("Neg has one of each");
        const twice = editor.add1("Concat", [x, x], { axis: attribute.int(0) });
        editor.replace(y, twice, "it may");
      },
    }),
  };
  await runRules(graph, [widening], {});
  expect(graph.order().map(({ op }) => op)).toEqual(["Neg", "ReduceSum"]);
  expect(graph.journal.map(({ what, reason }) => [what, reason])).toEqual([
    [
      "left",
      expect.stringMatching(/^widening would change ".*" from float32\[4\] to float32\[8\]\.$/),
    ],
  ]);
});

it("lets through what is wrong otherwise", async () => {
  const graph = parseGraph(three, { infer: inferNode });
  const broken: Rule = {
    name: "broken",
    exactness: "bitwise",
    ops: ["Neg"],
    match: () => ({
      because: "it may",
      rewrite: () => {
        throw new RangeError("a mistake");
      },
    }),
  };
  await expect(runRules(graph, [broken], {})).rejects.toThrow("a mistake");
});
