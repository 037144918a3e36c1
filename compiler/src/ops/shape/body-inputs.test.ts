import { expect, test } from "vitest";
import {
  attribute,
  bodiesOf,
  type Body,
  edit,
  type Editor,
  Graph,
  newHeader,
  tensorType,
  typeText,
  unknownType,
  type ValueId,
  type ValueType,
} from "../../ir/index.js";
import { inferAll, inferNode } from "./infer.js";

/** A Loop's body of untyped inputs that carries what `next` makes of a value on, and stacks its Relu. */
function loopBody(
  editor: Editor,
  next: (carried: ValueId, body: Body) => ValueId,
  said: ValueType = unknownType,
): { readonly body: Body; readonly carried: ValueId; readonly kept: ValueId } {
  const body = editor.addBody("body");
  const [, goes, carried] = ["i", "goes", "carried"].map((name) =>
    editor.addInput(name, name === "carried" ? said : unknownType, body),
  );
  if (goes === undefined || carried === undefined) throw new Error("no inputs");
  const kept = editor.add1("Relu", [carried], {}, { body });
  const outputs = [editor.add1("Identity", [goes], {}, { body }), next(carried, body), kept];
  for (const id of outputs) editor.addOutput(id, body);
  return { body, carried, kept };
}

/** A graph of n and x [2, 3] and what is made of them, its types inferred. */
function inferredGraph(
  make: (
    editor: Editor,
    inputs: { readonly n: ValueId; readonly x: ValueId },
    graph: Graph,
  ) => void,
): Graph {
  const graph = new Graph(newHeader(), inferNode);
  const build = (editor: Editor): void => {
    const n = editor.addInput("n", tensorType("int64", []));
    make(editor, { n, x: editor.addInput("x", tensorType("float32", [2, 3])) }, graph);
  };
  edit(graph, "build", build, { interface: true });
  inferAll(graph);
  return graph;
}

/** The types of what a loop over x carries and keeps in its body, and of what it gives. */
function typesOf(
  next: (editor: Editor) => (carried: ValueId, body: Body) => ValueId,
  said?: ValueType,
): readonly string[] {
  const ids: ValueId[] = [];
  const graph = inferredGraph((editor, { n, x }) => {
    const { body, carried, kept } = loopBody(editor, next(editor), said);
    const loop = { body: attribute.graph(body) };
    const given = editor.add("Loop", [n, null, x], loop, { outputs: 2 });
    for (const id of given) editor.addOutput(id);
    ids.push(carried, kept, ...given);
  });
  return ids.map((id) => typeText(graph.value(id).type).replace(/"\?\d+"/g, "?"));
}

const opaque = (editor: Editor) => (carried: ValueId, body: Body) =>
  editor.add1("Mystery", [carried], {}, { domain: "com.example", body });

test.each<[string, Parameters<typeof typesOf>[0], readonly string[]]>([
  [
    "stays as it is",
    (editor) => (carried, body) => editor.add1("Neg", [carried], {}, { body }),
    ["float32[2, 3]", "float32[2, 3]", "float32[2, 3]", "float32[?, 2, 3]"],
  ],
  [
    "grows along an axis",
    (editor) => (carried, body) =>
      editor.add1("Concat", [carried, carried], { axis: attribute.int(0) }, { body }),
    ["float32[?, 3]", "float32[?, 3]", "float32[?, 3]", "float32[?, ?, 3]"],
  ],
  [
    "loses its axes",
    (editor) => (carried, body) =>
      editor.add1("ReduceSum", [carried], { keepdims: attribute.int(0) }, { body }),
    ["float32[*]", "float32[*]", "float32[*]", "float32[*]"],
  ],
  ["is of no known shape", opaque, ["float32[*]", "float32[*]", "?", "float32[*]"]],
  [
    "is of no known shape within a loop in it",
    (editor) => (carried, body) => {
      const inner = loopBody(editor, opaque(editor));
      const [limit] = body.inputs;
      const loop = { body: attribute.graph(inner.body) };
      const [, stacked] = editor.add("Loop", [limit ?? null, null, carried], loop, {
        body,
        outputs: 2,
      });
      if (stacked === undefined) throw new Error("no output");
      return editor.add1("ReduceSum", [stacked], { keepdims: attribute.int(1) }, { body });
    },
    ["float32[*]", "float32[*]", "float32[*]", "float32[*]"],
  ],
])("what a loop carries that %s has the types that all rounds have", (_, next, expected) => {
  expect(typesOf(next)).toEqual(expected);
  // Exporters write down the first round's. What the loop gives was taken to be that as it was built.
  if (!expected.includes("?"))
    expect(typesOf(next, tensorType("float32", [2, 3])).slice(0, 2)).toEqual(expected.slice(0, 2));
});

test("loops that lie deep in loops, and carry what is of no known shape, take no time", () => {
  const graph = inferredGraph((editor, { n, x }, { main }) => {
    const nested =
      (depth: number) =>
      (carried: ValueId, body: Body): ValueId => {
        if (depth === 0) return opaque(editor)(carried, body);
        const inner = attribute.graph(loopBody(editor, nested(depth - 1)).body);
        const [given] = editor.add(
          "Loop",
          [n, null, carried],
          { body: inner },
          { body, outputs: 2 },
        );
        return given ?? carried;
      };
    editor.addOutput(nested(24)(x, main));
  });
  const bodies = [...graph.allNodes()].flatMap(bodiesOf);
  expect(bodies).toHaveLength(24);
  for (const { inputs } of bodies)
    expect(inputs.map((id) => typeText(graph.value(id).type)).at(-1)).toBe("float32[*]");
});
