import { PareError } from "@pare/runtime/format";
import type { GraphModel, NamedTensor } from "./graph-model.js";

/** What a model takes and gives. */
export interface Interface {
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly NamedTensor[];
}

/**
 * As the signature says; of a model without one, what is fed and what nobody reads, by their nodes' names, as
 * tfjs-converter/src/operations/operation_mapper.ts has it.
 * @throws PareError MODEL_INVALID where nothing is an output
 */
export function interfaceOf({ nodes, inputs, outputs }: GraphModel, file: string): Interface {
  const named = new Set(inputs.map(({ tensor }) => tensor.node));
  const others = [...nodes.values()].filter(
    ({ name, op }) => op === "Placeholder" && !named.has(name),
  );
  const ends = outputs.length > 0 ? outputs : unread(nodes);
  if (ends.length === 0)
    throw new PareError("MODEL_INVALID", `${file} has no output.`, { where: file });
  return { inputs: [...inputs, ...others.map(({ name }) => first(name))], outputs: ends };
}

function unread(nodes: GraphModel["nodes"]): readonly NamedTensor[] {
  const read = new Set([...nodes.values()].flatMap(({ inputs }) => inputs.map(({ node }) => node)));
  return [...nodes.values()]
    .filter(({ name, op }) => op !== "NoOp" && op !== "Const" && !read.has(name))
    .map(({ name }) => first(name));
}

function first(node: string): NamedTensor {
  return { name: node, tensor: { node, output: 0 }, info: {} };
}
