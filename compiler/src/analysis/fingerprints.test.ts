import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { Fingerprints } from "./fingerprints.js";

const outputs = async (graph: Graph, by = new Fingerprints()): Promise<readonly string[]> => {
  const found = await by.of(graph);
  return graph.main.outputs.map((id) => found.get(id) ?? "none");
};

function network(weight: number, name = "x", axis = 1): Graph {
  return graphOf({ [name]: ["float32", 2, 3] }, (input, b) => ({
    y: b.add("Softmax", [b.add("Mul", [input(name), b.floats([weight])])], {
      axis: attribute.int(axis),
    }),
  }));
}

describe("fingerprints", () => {
  it("are those of equal computations, whoever asks and whatever nodes are called", async () => {
    const graph = network(2);
    const renamed = network(2);
    edit(renamed, "test", (editor) => {
      for (const node of renamed.order())
        for (const id of node.outputs)
          if (id !== null && !renamed.isOutput(id)) editor.rename(id, `other_${id}`);
    });
    const [first] = await outputs(graph);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(await outputs(renamed)).toEqual([first]);
    expect(await outputs(graph.fork())).toEqual([first]);
  });

  it.each<[string, Graph]>([
    ["a constant", network(3)],
    ["an input's name", network(2, "z")],
    ["an attribute", network(2, "x", 0)],
  ])("differ with %s", async (_, other) => {
    expect(await outputs(other)).not.toEqual(await outputs(network(2)));
  });

  it("differ where something above differs, and only there", async () => {
    const graph = network(2);
    const [mul, softmax] = graph.order().flatMap((node) => node.outputs[0] ?? []);
    if (mul === undefined || softmax === undefined) throw new Error("two nodes are expected");
    const fork = graph.fork();
    edit(fork, "test", (editor) => {
      const [last] = fork.order().slice(-1);
      if (last !== undefined) editor.setAttribute(last.id, "axis", attribute.int(0));
    });
    const by = new Fingerprints();
    const [before, after] = [await by.of(graph), await by.of(fork)];
    expect(after.get(mul)).toBe(before.get(mul));
    expect(after.get(softmax)).not.toBe(before.get(softmax));
  });

  it("are made once of a graph that nobody changes, whoever asks", async () => {
    const [graph, by] = [network(2), new Fingerprints()];
    const [first, again] = await Promise.all([by.of(graph), by.of(graph)]);
    expect(again).toBe(first);
    edit(graph, "test", (editor) => {
      const [last] = graph.order().slice(-1);
      if (last !== undefined) editor.setAttribute(last.id, "axis", attribute.int(0));
    });
    expect(await outputs(graph, by)).toEqual(await outputs(graph));
    expect(await by.of(graph)).not.toBe(first);
  });

  const branching = (captured: number, inner: number): Graph =>
    graphOf({ c: ["bool"], x: ["float32", 2] }, (input, b) => {
      const outer = b.add("Mul", [input("x"), b.floats([captured])]);
      return { y: b.add("If", [input("c")], branches(b, outer, inner)) };
    });

  it("of an If follow what it captures and what its branches hold", async () => {
    const same = await outputs(branching(2, 5));
    expect(await outputs(branching(2, 5))).toEqual(same);
    expect(await outputs(branching(3, 5))).not.toEqual(same);
    expect(await outputs(branching(2, 6))).not.toEqual(same);
  });
});

function branches(b: Builder, captured: ValueId, factor: number) {
  const branch = (name: string, by: number) => {
    const body = b.editor.addBody(name);
    const constant = b.editor.constant("k", Tensor.float32([1], [by]), body);
    b.editor.addOutput(b.editor.add1("Mul", [captured, constant], {}, { body }), body);
    return attribute.graph(body);
  };
  return { then_branch: branch("then", factor), else_branch: branch("else", 1) };
}
