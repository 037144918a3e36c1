import { describe, expect, it } from "vitest";
import { Graph, tablesOf } from "./graph.js";
import type { NodeId, ValueId } from "./ids.js";
import type { GraphTables } from "./model.js";
import { parseGraph } from "./text/parse.js";
import { UseList } from "./uses.js";
import { verifyGraph } from "./verify.js";

const text = `graph main opset 21 (c: bool[], x: float32[2]) -> (y) {
  %1 = Relu(x) : float32[2]
  %3 = If(c) {then_branch = graph () {
    %2 = Tanh(%1) : float32[2]
    return %2
  }} : float32[2]
  return %3
}`;

/** A graph on tables that a test may break. */
function breakable(): {
  graph: Graph;
  tables: GraphTables;
  node: (op: string) => NodeId;
  output: (op: string) => ValueId;
} {
  const graph = parseGraph(text);
  const tables = tablesOf(graph);
  const find = (op: string) => {
    const found = [...tables.nodes.values()].find((candidate) => candidate.op === op);
    if (found === undefined) throw new Error(`no ${op}`);
    return found;
  };
  return {
    graph,
    tables,
    node: (op) => find(op).id,
    output: (op) => find(op).outputs[0] as ValueId,
  };
}

describe("verifyGraph", () => {
  it("takes what is whole", () => {
    expect(() => verifyGraph(breakable().graph)).not.toThrow();
  });

  it.each<[string | RegExp, (broken: ReturnType<typeof breakable>) => void]>([
    [
      /Relu #\d+ makes a value that is not there/,
      ({ tables, output }) => tables.values.delete(output("Relu")),
    ],
    [
      /If #\d+ reads value_2, which it cannot see/,
      ({ tables, node, output }) => (tables.nodes.get(node("If"))!.inputs[0] = output("Tanh")),
    ],
    [
      "is read by [",
      ({ tables, output }) => (tables.values.get(output("Relu"))!.uses = new UseList()),
    ],
    [
      "does not know that",
      ({ tables, node, output }) => (tables.values.get(output("Relu"))!.producer = node("Tanh")),
    ],
    [
      "is in no body",
      ({ tables, graph, node }) => tables.bodies.get(graph.main.id)!.nodes.delete(node("Relu")),
    ],
    [
      "has another owner",
      ({ tables, graph, node }) =>
        (tables.bodies.get(graph.node(node("Tanh")).body)!.owner = node("Relu")),
    ],
    [
      "does not know that it is an input",
      ({ tables, graph }) =>
        graph.main.inputs.forEach((id) => (tables.values.get(id)!.isInput = false)),
    ],
    ["nothing makes value_1", ({ tables, node }) => (tables.nodes.get(node("Relu"))!.outputs = [])],
  ])("refuses: %s", (message, damage) => {
    const broken = breakable();
    damage(broken);
    expect(() => verifyGraph(broken.graph, "pass » rule")).toThrow(message);
  });

  it("names the pass and the rule", () => {
    const broken = breakable();
    broken.tables.values.get(broken.output("Relu"))!.uses = new UseList();
    expect(() => verifyGraph(broken.graph, "simplify » fold")).toThrow(
      "simplify » fold left the graph broken",
    );
  });

  it("finds a circle", () => {
    const broken = breakable();
    const relu = broken.node("Relu");
    const [before] = broken.tables.nodes.get(relu)!.inputs;
    broken.tables.nodes.get(relu)!.inputs[0] = broken.output("If");
    broken.tables.values.get(before!)!.uses = new UseList();
    broken.tables.values.get(broken.output("If"))!.uses.add({ kind: "node", node: relu, index: 0 });
    expect(() => verifyGraph(broken.graph)).toThrow("in a circle");
  });
});
