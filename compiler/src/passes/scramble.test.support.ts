import { edit, attribute, type Body, type Graph, Tensor } from "../ir/index.js";
import { decodeMessage } from "../onnx/decode.js";
import { encodeMessage } from "../onnx/encode.js";
import type { Message } from "../onnx/schema.js";
import { inferNode } from "../ops/index.js";

/** A generator of numbers in [0, 1) from a seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * The same model, written otherwise: inner values renamed, nodes in another order, some initializers as Constant nodes
 * and some Constants as initializers, raw data as typed data and back. Inputs and outputs keep their names.
 */
export async function scrambled(graph: Graph, seed: number): Promise<Graph> {
  const random = randomFrom(seed);
  const copy = graph.fork();
  for (const body of copy.allBodies()) exchangeConstants(body);
  const interfaceNames = new Set([...copy.main.inputs, ...copy.main.outputs]);
  edit(copy, "rename", (editor) => {
    let next = 0;
    for (const value of copy.allValues()) {
      next += 1;
      if (!interfaceNames.has(value.id))
        editor.rename(value.id, `v${Math.floor(random() * 1e9)}_${next}`);
    }
  });
  const message = encodeMessage(copy);
  if (message.graph !== undefined) shuffleNodes(message.graph, random);
  return decodeMessage(message, new Map(), { infer: inferNode });

  function exchangeConstants(body: Body): void {
    edit(copy, "exchange-constants", (editor) => {
      const initializers = [...body.initializers].filter((id) => !body.inputs.includes(id));
      for (const id of initializers) {
        const tensor = copy.constant(id);
        if (tensor === undefined || tensor.data === undefined || random() < 0.5) continue;
        const recoded = Tensor.of(
          tensor.dtype,
          tensor.dims,
          tensor.data,
          random() < 0.5 ? "raw" : "typed",
        );
        editor.replace(
          id,
          editor.add1("Constant", [], { value: attribute.tensor(recoded) }, { body }),
          "scrambled",
        );
      }
      for (const nodeId of body.nodes) {
        const node = copy.node(nodeId);
        const value = node.op === "Constant" ? node.attributes.get("value") : undefined;
        const [output] = node.outputs;
        if (value?.type !== "tensor" || output === undefined || output === null || random() < 0.5)
          continue;
        editor.replace(
          output,
          editor.constant(copy.value(output).name, value.value, body),
          "scrambled",
        );
      }
    });
  }
}

/** Nodes in any order, in every body: the reader sorts them itself. */
function shuffleNodes(proto: Message<"GraphProto">, random: () => number): void {
  const nodes = proto.node ?? [];
  for (let at = nodes.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const [here, there] = [nodes[at], nodes[other]];
    if (here === undefined || there === undefined) continue;
    nodes[at] = there;
    nodes[other] = here;
  }
  for (const node of nodes)
    for (const attribute of node.attribute ?? [])
      if (attribute.g !== undefined) shuffleNodes(attribute.g, random);
}
