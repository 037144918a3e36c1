import { expect, it } from "vitest";
import { attribute, dependencies, edit, Graph, newHeader } from "../ir/index.js";
import { moveOut } from "./external-write.js";
import type { Message } from "./index.js";
import { sortNodes } from "./sort-nodes.js";

/** More than a call takes as its arguments. */
const count = 200_000;
const names = Array.from({ length: count }, (_, index) => `v${index}`);
const nothing = (): boolean => false;

it("a branch may read as many values from outside", () => {
  const sum: Message<"GraphProto"> = { node: [{ opType: "Sum", input: names, output: ["sum"] }] };
  const both = { name: "then_branch", g: sum, graphs: [sum] };
  const branch = { opType: "If", input: ["v0"], output: ["y"], attribute: [both] };
  const many = { opType: "Many", output: names };
  expect(sortNodes([branch, many], nothing)).toEqual([many, branch]);
});

it("and what it depends on is all of them", () => {
  const graph = new Graph(newHeader(), () => []);
  edit(graph, "build", (editor) => {
    const values = editor.add("Many", [], {}, { outputs: count });
    const body = editor.addBody("sum");
    editor.addOutput(editor.add1("Sum", values, {}, { body }), body);
    const branch = editor.addNode("If", [], { then_branch: attribute.graph(body) });
    expect(dependencies(graph, branch)).toHaveLength(count);
  });
});

it("a circle may be as long, and is told of by its beginning", () => {
  const nodes = names.map((name, index) => ({
    opType: "Relu",
    input: [names.at(index - 1) ?? ""],
    output: [name],
  }));
  expect(() => sortNodes(nodes, nothing)).toThrow(
    expect.objectContaining({
      code: "MODEL_CYCLE",
      message: expect.stringMatching(/: v0 → v1 → .* → v7 → …\.$/),
    }),
  );
});

it("a graph may have as many initializers, and an attribute as many tensors", () => {
  const tensors = names.map((name) => ({ name }));
  const node = [{ attribute: [{ tensors }] }];
  expect(moveOut({ graph: { initializer: tensors, node } }, { location: "w" }).size).toBe(0);
});
