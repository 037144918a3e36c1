import { PareError } from "@pare/runtime/format";
import { bodiesOf, type Body, edit, type Graph, type Node, normalOpset } from "../../ir/index.js";
import { attributeReader, inferAll } from "../../ops/index.js";
import type { Adapter } from "./adapter.js";
import { newerOperators } from "./newer-operators.js";
import { stepOf } from "./step.js";

/** The newest opset whose changes are known. */
const newestOpset = 28;

const sayable: ReadonlyMap<string, Adapter> = new Map(
  newerOperators.map((each) => [each.op, each]),
);

/** The opset that brought an operator that is not said in other words here. */
const introducedLater: Readonly<Record<string, number>> = {
  BitCast: 26,
  CausalConvWithState: 27,
  CumProd: 26,
  LinearAttention: 27,
  TensorScatter: 24,
};

/** Attributes that came after opset 21, and the only value that an older reader takes for granted. */
const newAttributes: readonly (readonly [
  ops: readonly string[],
  name: string,
  fallback: number | string,
])[] = [
  [["Cast", "CastLike"], "round_mode", "up"],
  [["DequantizeLinear"], "output_dtype", 0],
  [["QuantizeLinear"], "precision", 0],
  [["Range"], "stash_type", 1],
  [["SpaceToDepth"], "mode", "DCR"],
];

/**
 * Says a model of opset 22 to 28 in opset 21: most of those versions only admit more element types, and most of their
 * operators are functions of older ones.
 * @throws PareError MODEL_VERSION naming the first node that opset 21 has no words for
 */
export function fromNewerOpset(graph: Graph, opset: number): void {
  if (opset > newestOpset) {
    throw new PareError(
      "MODEL_VERSION",
      `The model is of opset ${opset}; what is newer than ${newestOpset} is not known here.`,
      {
        where: "opset_import",
        hint: `Export the model for opset ${normalOpset}.`,
      },
    );
  }
  for (const node of graph.allNodes()) if (node.domain === "") requireOld(graph, node);
  sayNewerOperators(graph, opset);
  edit(graph, "opset-21", (editor) => {
    for (const node of graph.allNodes()) {
      for (const [ops, name] of newAttributes) {
        if (node.domain === "" && ops.includes(node.op) && node.attributes.has(name))
          editor.setAttribute(node.id, name, undefined);
      }
    }
    editor.setOpset("", normalOpset);
  });
}

/**
 * In their order, so that what comes before a node is said, and typed, when the node asks for types. Those that nothing
 * declares and that this does not tell are looked for once more.
 */
function sayNewerOperators(graph: Graph, opset: number): void {
  for (const isLast of [false, true]) {
    const waiting = inOrder(graph, graph.main).filter(
      ({ op, domain }) => domain === "" && sayable.has(op),
    );
    if (waiting.length === 0) return;
    inferAll(graph);
    for (const node of waiting) if (isLast || isTyped(graph, node)) say(graph, node, opset);
  }
}

function say(graph: Graph, node: Node, opset: number): void {
  edit(
    graph,
    `opset-${normalOpset}`,
    (editor) => {
      const step = stepOf(graph, editor, node.id, opset, normalOpset);
      const refused = (why: string): never => refuse(graph, node, `${what}: ${why}.`);
      const what = `${node.op} of opset ${opset} cannot be said in opset ${normalOpset}, which Pare works in`;
      sayable.get(node.op)?.convert({ ...step, refuse: refused });
      if (node.outputs.some((id) => id !== null && graph.value(id).uses.length > 0))
        refused("an output is read that it does not have");
      editor.remove(node.id);
    },
    { interface: true },
  );
}

function inOrder(graph: Graph, body: Body): readonly Node[] {
  return graph
    .order(body)
    .flatMap((node) => [node, ...bodiesOf(node).flatMap((inner) => inOrder(graph, inner))]);
}

function isTyped(graph: Graph, { inputs }: Node): boolean {
  return inputs.every((id) => {
    const type = id === null ? undefined : graph.value(id).type;
    return type === undefined || (type.kind === "tensor" && type.shape !== undefined);
  });
}

function requireOld(graph: Graph, node: Node): void {
  const since = introducedLater[node.op];
  const unequal = `and opset ${normalOpset}, which Pare works in, has no equal.`;
  if (since !== undefined) refuse(graph, node, `${node.op} came with opset ${since}, ${unequal}`);
  const read = attributeReader(node.attributes);
  for (const [ops, name, fallback] of newAttributes) {
    if (!ops.includes(node.op)) continue;
    const value =
      typeof fallback === "number" ? read.int(name, fallback) : read.string(name, fallback);
    if (value !== fallback)
      refuse(graph, node, `${node.op} with ${name} = ${value} is newer, ${unequal}`);
  }
}

function refuse(graph: Graph, node: Node, message: string): never {
  throw new PareError("MODEL_VERSION", message, {
    where: graph.nodeLabel(node),
    hint: `Export the model for opset ${normalOpset}.`,
  });
}
