import { edit } from "./edit.js";
import * as fc from "fast-check";
import { isPareError, messageOf } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { attribute } from "../attribute.js";
import type { Editor } from "./editor.js";
import { Graph, type Infer } from "../graph.js";
import type { ValueId } from "../ids.js";
import { newHeader } from "../model.js";
import { parseGraph } from "../text/parse.js";
import { printGraph } from "../text/print.js";
import { Tensor } from "../tensor.js";
import { tensorType } from "../type.js";
import { verifyGraph } from "../verify.js";

/** Every output is typed as the first input, but for Widen, which doubles its last dim. */
const infer: Infer = (graph, node) => {
  const [first] = node.inputs;
  if (first === undefined || first === null || node.op === "If") return [];
  const { type } = graph.value(first);
  if (node.op !== "Widen" || type.kind !== "tensor" || type.shape === undefined) return [{ type }];
  const shape = type.shape.map((size, axis) =>
    axis === (type.shape?.length ?? 0) - 1 ? Number(size) * 2 : size,
  );
  return [{ type: tensorType(type.dtype, shape) }];
};

function one<T>(item: T | null | undefined): T {
  if (item === null || item === undefined) throw new Error("it is not there");
  return item;
}

const parse = (text: string) => parseGraph(text, { infer });

function find(graph: Graph, op: string) {
  const node = [...graph.allNodes()].find((candidate) => candidate.op === op);
  if (node === undefined) throw new Error(`no ${op}`);
  const [output] = node.outputs;
  return { node, output: one(output) };
}

const chain = `graph main opset 21 (x: float32[2, 3]) -> (y) {
  %1 = Relu(x) : float32[2, 3]
  %2 = Tanh(%1) : float32[2, 3]
  %3 = Add(%2, const float32[] 1.5) : float32[2, 3]
  return %3
}
`;

describe("replace", () => {
  it("moves readers, gives up what nobody reads, and counts one change", async () => {
    const graph = parse(chain);
    edit(graph, "test", (editor) =>
      editor.replace(find(graph, "Tanh").output, find(graph, "Relu").output, "because"),
    );
    expect(await printGraph(graph)).toContain("%2 = Add(%1, const float32[] 1.5)");
    expect([...graph.allNodes()].map((node) => node.op)).toEqual(["Relu", "Add"]);
    expect(graph.changes).toBe(1);
    expect(graph.journal).toEqual([
      { rule: "test", what: "changed", node: "value_2", op: "Tanh", reason: "because" },
    ]);
    verifyGraph(graph);
  });

  it("gives the name of an output to what takes its place", () => {
    const graph = parse(chain);
    edit(graph, "test", (editor) =>
      editor.replace(find(graph, "Add").output, find(graph, "Tanh").output, ""),
    );
    expect(graph.main.outputs.map((id) => graph.value(id).name)).toEqual(["y"]);
    expect([...graph.allValues()].filter((value) => value.constant !== undefined)).toEqual([]);
    verifyGraph(graph);
  });

  it("puts an Identity where an input becomes an output", async () => {
    const graph = parse(chain);
    const [x] = graph.main.inputs;
    edit(graph, "test", (editor) => editor.replace(find(graph, "Add").output, one(x), ""));
    expect(await printGraph(graph)).toBe(
      "graph main opset 21 (x: float32[2, 3]) -> (y) {\n  %1 = Identity(x) : float32[2, 3]\n  return %1\n}\n",
    );
    const before = graph.main.nodes.size;
    edit(graph, "again", (editor) => editor.replace(find(graph, "Identity").output, one(x), ""));
    expect(graph.main.nodes.size).toBe(before);
    verifyGraph(graph);
  });

  it("lets what is put behind a value begin with it", async () => {
    const graph = parse(chain);
    const { output } = find(graph, "Relu");
    edit(graph, "test", (editor) =>
      editor.replace(output, editor.add1("Dequantize", [editor.add1("Quantize", [output])]), ""),
    );
    expect(await printGraph(graph)).toContain(
      "%2 = Quantize(%1) : float32[2, 3]\n  %3 = Dequantize(%2) : float32[2, 3]\n  %4 = Tanh(%3)",
    );
    verifyGraph(graph);
  });
});

describe("commit", () => {
  it("infers again what depends on a change", () => {
    const graph = parse(chain.replace("-> (y) {", "-> () {").replace("return %3", "return"));
    const [x] = graph.main.inputs;
    edit(graph, "test", (editor) => editor.setType(one(x), tensorType("float32", [7])), {
      interface: true,
    });
    expect(graph.value(find(graph, "Add").output).type).toEqual(tensorType("float32", [7]));
  });

  it("forgets integers that a new type makes stale", () => {
    const graph = parse(chain);
    const { output } = find(graph, "Relu");
    edit(graph, "know", (editor) => editor.setType(output, tensorType("int64", [1]), [3]), {
      interface: true,
    });
    expect(graph.value(output).elements).toEqual([3]);
    edit(graph, "forget", (editor) => editor.setType(output, tensorType("int64", [1])), {
      interface: true,
    });
    expect(graph.value(output).elements).toBeUndefined();
  });

  it("refuses to change an output's shape unless that is declared", () => {
    const graph = parse(chain);
    const widen = (editor: Editor) => editor.setOp(find(graph, "Relu").node.id, "Widen");
    expect(() => edit(graph, "widen", widen)).toThrow(
      "widen would change output 0 from float32[2, 3] to float32[2, 6].",
    );
    expect(find(graph, "Relu").node.op).toBe("Relu");
    edit(graph, "widen", widen, { interface: true });
    expect(graph.value(find(graph, "Add").output).type).toEqual(tensorType("float32", [2, 6]));
  });

  it.each<[string, (editor: Editor, graph: Graph) => void, string]>([
    [
      "an output's name",
      (editor, graph) => editor.rename(one(graph.main.outputs[0]), "z"),
      'output 0 from "y" to "z"',
    ],
    [
      "the number of inputs",
      (editor) => editor.addInput("z", tensorType("float32", [])),
      "the number of inputs from 1 to 2",
    ],
    [
      "an input's type",
      (editor, graph) => editor.setType(one(graph.main.inputs[0]), tensorType("int8", [2, 3])),
      "input 0 from float32[2, 3] to int8[2, 3]",
    ],
  ])("refuses to change %s", (_, change, message) => {
    const graph = parse(chain);
    expect(() => edit(graph, "rule", (editor) => change(editor, graph))).toThrow(message);
    verifyGraph(graph);
  });
});

describe("bodies", () => {
  const branches = `graph main opset 21 (c: bool[], x: float32[2]) -> (y) {
  %1 = Relu(x) : float32[2]
  %4 = If(c) {else_branch = graph () {
    %2 = Tanh(%1) : float32[2]
    return %2
  }, then_branch = graph () {
    %3 = Add(x, const float32[] 2.0) : float32[2]
    return %3
  }} : float32[2]
  return %4
}
`;

  it("moves a branch out and removes the other with all it holds", async () => {
    const graph = parse(branches);
    const { node, output } = find(graph, "If");
    const then = node.attributes.get("then_branch");
    if (then?.type !== "graph") throw new Error("no branch");
    edit(graph, "test", (editor) => {
      const [result] = editor.inline(then.value, graph.main);
      editor.replace(output, one(result), "known");
    });
    expect(await printGraph(graph)).toBe(
      "graph main opset 21 (c: bool[], x: float32[2]) -> (y) {\n  %1 = Add(x, const float32[] 2.0) : float32[2]\n  return %1\n}\n",
    );
    expect([...graph.allBodies()]).toHaveLength(1);
    verifyGraph(graph);
  });

  it("lets go of a body whose attribute is replaced", () => {
    const graph = parse(branches);
    const { node } = find(graph, "If");
    edit(graph, "test", (editor) => {
      const body = editor.addBody("new");
      editor.addOutput(editor.add1("Sin", [one(graph.main.inputs[1])], {}, { body }), body);
      editor.setAttribute(node.id, "else_branch", attribute.graph(body));
    });
    expect([...graph.allBodies()]).toHaveLength(3);
    expect([...graph.allNodes()].map((one) => one.op).sort()).toEqual(["Add", "If", "Sin"]);
    verifyGraph(graph);
  });
});

describe("edit", () => {
  const model = `graph main opset 21 (x: float32[2]) -> (y) {
  %1 = Relu(x) : float32[2]
  return %1
}`;

  it("counts a change of the header, and takes it back when it fails", () => {
    const graph = parseGraph(model);
    expect(graph.changes).toBe(0);
    edit(graph, "test", (editor) => editor.setOpset("", 21));
    expect(graph.changes).toBe(0);
    edit(graph, "test", (editor) => editor.setOpset("com.example", 1));
    expect(graph.changes).toBe(1);
    const fork = graph.fork();
    expect(() =>
      edit(fork, "test", (editor) => {
        editor.setHeader({ irVersion: 3n, producerName: "other" });
        editor.setOpset("com.example", undefined);
        throw new Error("changed its mind");
      }),
    ).toThrow("changed its mind");
    expect(fork.header).toEqual(graph.header);
    expect(fork.changes).toBe(1);
  });

  it("does not nest: what fails inside could not be undone by itself", () => {
    const graph = parseGraph(model);
    const before = tables(graph);
    expect(() =>
      edit(graph, "outer", (outer) => {
        const [x = 0 as ValueId] = graph.main.inputs;
        outer.add1("Neg", [x]);
        edit(graph, "inner", (inner) => inner.add1("Abs", [x]));
      }),
    ).toThrow(expect.objectContaining({ code: "INTERNAL", where: "inner" }));
    expect(tables(graph)).toEqual(before);
    edit(graph, "after", (editor) => editor.add1("Neg", [graph.main.inputs[0] ?? null]));
    expect(graph.changes).toBe(1);
  });

  it("puts readers back in their places", () => {
    const graph = parseGraph(`graph main opset 21 (x: float32[2]) -> (a, b, c) {
  %1 = Relu(x) : float32[2]
  %2 = Neg(x) : float32[2]
  %3 = Abs(x) : float32[2]
  return %1, %2, %3
}`);
    const [x = 0 as ValueId] = graph.main.inputs;
    const before = [...graph.value(x).uses];
    const neg = graph.order().find(({ op }) => op === "Neg");
    if (neg === undefined) throw new Error("no Neg");
    expect(() =>
      edit(graph, "test", (editor) => {
        editor.setInput(neg.id, 0, graph.main.outputs[0] ?? null);
        expect(graph.value(x).uses.length).toBe(2);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([...graph.value(x).uses]).toEqual(before);
  });
});

/** All there is to know of a graph, ids included. */
function tables(graph: Graph): unknown {
  return {
    values: [...graph.allValues()]
      .map(({ id, name, type, elements, constant, producer, body, uses }) => [
        id,
        name,
        type,
        elements,
        constant,
        producer,
        body,
        [...uses].map((use) => JSON.stringify(use)).sort(),
      ])
      .sort(([a], [b]) => Number(a) - Number(b)),
    nodes: [...graph.allNodes()]
      .map(({ id, op, inputs, outputs, attributes, body }) => [
        id,
        op,
        [...inputs],
        [...outputs],
        [...attributes.keys()],
        body,
      ])
      .sort(([a], [b]) => Number(a) - Number(b)),
    bodies: [...graph.allBodies()].map(({ id, inputs, outputs, initializers, nodes, owner }) => [
      id,
      [...inputs],
      [...outputs],
      [...initializers],
      [...nodes],
      owner,
    ]),
  };
}

/** One random edit; `pick` chooses an index below its argument. Throws where the editor refuses. */
function randomEdit(graph: Graph, editor: Editor, pick: (below: number) => number): void {
  const order = graph.order().filter((node) => graph.hasNode(node.id));
  const values = [
    ...graph.main.inputs,
    ...graph.main.initializers,
    ...order.flatMap((node) => node.outputs),
  ].filter((id) => id !== null && graph.hasValue(id)) as ValueId[];
  const at = pick(values.length);
  const value = one(values[at]);
  const earlier = one(values[pick(at + 1)]);
  const node = graph.producer(value);
  switch (pick(10)) {
    case 0:
      editor.add("Relu", [value]);
      break;
    case 1:
      if (node !== undefined) editor.replace(value, earlier, "random");
      break;
    case 2:
      editor.replace(value, editor.add1("Tanh", [value]), "random");
      break;
    case 3:
      editor.add1("Add", [earlier, editor.constant("c", Tensor.float32([1], [at]))]);
      break;
    case 4:
      if (node !== undefined) editor.setInput(node.id, pick(3), node.inputs[0] ?? null);
      break;
    case 5:
      if (node !== undefined) editor.setAttribute(node.id, "a", attribute.int(at));
      break;
    case 6:
      if (node !== undefined) editor.remove(node.id);
      break;
    case 7:
      if (node !== undefined) editor.trimInputs(node.id, 1);
      break;
    case 8:
      editor.addOutput(value);
      break;
    default:
      if (graph.main.outputs.length > 0) editor.removeOutput(pick(graph.main.outputs.length));
  }
}

/** Did the transaction go through? */
function apply(graph: Graph, steps: readonly (readonly number[])[], abort: boolean): boolean {
  try {
    edit(
      graph,
      "random",
      (editor) => {
        for (const step of steps) {
          let next = 0;
          randomEdit(
            graph,
            editor,
            (below) => (step[next++ % step.length] ?? 0) % Math.max(1, below),
          );
        }
        if (abort) throw new Error("abort");
      },
      { interface: true },
    );
    return true;
  } catch (error) {
    if (!isPareError(error) && messageOf(error) !== "abort") throw error;
    return false;
  }
}

describe("any edits", () => {
  const edits = fc.array(
    fc.record({
      steps: fc.array(fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }), { maxLength: 5 }),
      abort: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  );

  it("leave a graph well-formed, or as it was", () => {
    const went = { through: 0, not: 0 };
    fc.assert(
      fc.property(edits, (transactions) => {
        const graph = parse(chain);
        for (const { steps, abort } of transactions) {
          const before = tables(graph);
          const isThrough = apply(graph, steps, abort);
          if (!isThrough) expect(tables(graph)).toEqual(before);
          went[isThrough ? "through" : "not"] += 1;
          verifyGraph(graph);
        }
      }),
      { numRuns: 300 },
    );
    expect(went.through).toBeGreaterThan(went.not / 4);
    expect(went.not).toBeGreaterThan(0);
  });

  it("do not reach from a fork into the original", () => {
    fc.assert(
      fc.property(edits, (transactions) => {
        const graph = parse(chain);
        const before = tables(graph);
        const fork = graph.fork();
        expect(tables(fork)).toEqual(before);
        for (const { steps } of transactions) apply(fork, steps, false);
        verifyGraph(fork);
        expect(tables(graph)).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });
});

it("builds a graph from nothing", async () => {
  const graph = new Graph(newHeader(), infer);
  edit(
    graph,
    "build",
    (editor) => {
      const x = editor.addInput(
        "x",
        tensorType(
          "float32",
          ["N", 2].map((size) => (typeof size === "string" ? 1 : size)),
        ),
      );
      editor.addOutput(
        editor.add1("Relu", [x], { alpha: attribute.float(0.1) }, { outputs: ["y"] }),
      );
    },
    { interface: true },
  );
  expect(await printGraph(graph)).toBe(
    "graph main opset 21 (x: float32[1, 2]) -> (y) {\n  %1 = Relu(x) {alpha = 0.1} : float32[1, 2]\n  return %1\n}\n",
  );
});
