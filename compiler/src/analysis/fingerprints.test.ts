import { byteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import {
  attribute,
  type Body,
  edit,
  type Graph,
  Tensor,
  tensorType,
  type ValueId,
} from "../ir/index.js";
import { decodeModel, type Message, writeMessage } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
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

  const carrying = async (more: Message<"AttributeProto">): Promise<readonly string[]> => {
    const model = await writeMessage("ModelProto", {
      irVersion: 8n,
      opsetImport: [{ version: 17n }, { domain: "own", version: 1n }],
      graph: {
        name: "g",
        node: [{ opType: "Own", domain: "own", input: ["x"], output: ["y"], attribute: [more] }],
        input: [{ name: "x" }],
        output: [{ name: "y" }],
      },
    });
    return outputs(await decodeModel({ proto: byteSource(model) }, { infer: inferNode }));
  };

  it.each<[string, Message<"AttributeProto">, Message<"AttributeProto">]>([
    [
      "a sparse tensor",
      { name: "a", type: 11, sparseTensor: { dims: [3n] } },
      { name: "a", type: 11, sparseTensor: { dims: [4n] } },
    ],
    [
      "a type",
      { name: "a", type: 13, tp: { tensorType: { elemType: 1 } } },
      { name: "a", type: 13, tp: { tensorType: { elemType: 7 } } },
    ],
  ])("differ with an attribute that is %s", async (_, one, other) => {
    const found = await carrying(one);
    expect(await carrying(one)).toEqual(found);
    expect(await carrying(other)).not.toEqual(found);
  });

  it("of a loop in a loop tell the inputs of both apart", async () => {
    const [own, around] = [await outputs(loops("inner")), await outputs(loops("outer"))];
    expect(own).not.toEqual(around);
    expect(await outputs(loops("inner"))).toEqual(own);
  });

  it("of a loop are what earlier locks have", async () => {
    expect(await outputs(loops(null))).toEqual(["9bf45708c88e480a10962e4b57f640b0"]);
  });
});

/** Adds up a loop's counter: in a loop of that loop its own or the outer one's; in one loop alone where that is null. */
function loops(counter: "inner" | "outer" | null): Graph {
  return graphOf({ x: ["float32"] }, (input, b) => {
    const loop = (
      state: ValueId,
      around: Body | undefined,
      next: (state: ValueId, counter: ValueId, body: Body) => ValueId,
    ): ValueId => {
      const body = b.editor.addBody("loop");
      const own = b.editor.addInput("i", tensorType("int64", []), body);
      const going = b.editor.addInput("going", tensorType("bool", []), body);
      const before = b.editor.addInput("before", tensorType("float32", []), body);
      b.editor.addOutput(b.editor.add1("Identity", [going], {}, { body }), body);
      b.editor.addOutput(next(before, own, body), body);
      const place = around === undefined ? {} : { body: around };
      const count = b.editor.constant("n", Tensor.int64([3], []), around);
      const inputs = [count, null, state];
      return b.editor.add1("Loop", inputs, { body: attribute.graph(body) }, place);
    };
    const add = (state: ValueId, index: ValueId, body: Body): ValueId => {
      const to = { to: attribute.int(1) };
      const step = b.editor.add1("Cast", [index], to, { body });
      return b.editor.add1("Add", [state, step], {}, { body });
    };
    const y = loop(input("x"), undefined, (state, outer, body) =>
      counter === null
        ? add(state, outer, body)
        : loop(state, body, (inside, inner, innermost) =>
            add(inside, counter === "inner" ? inner : outer, innermost),
          ),
    );
    return { y };
  });
}

function branches(b: Builder, captured: ValueId, factor: number) {
  const branch = (name: string, by: number) => {
    const body = b.editor.addBody(name);
    const constant = b.editor.constant("k", Tensor.float32([1], [by]), body);
    b.editor.addOutput(b.editor.add1("Mul", [captured, constant], {}, { body }), body);
    return attribute.graph(body);
  };
  return { then_branch: branch("then", factor), else_branch: branch("else", 1) };
}
