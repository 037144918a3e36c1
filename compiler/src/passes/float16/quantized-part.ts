import { wasRounded } from "../../analysis/decoded.js";
import type { Graph, Node, ValueId } from "../../ir/index.js";
import { operatorOf } from "../../ops/index.js";

/** The first node that rounds activations to integers: a graph with one is quantized already. */
export function firstRounding(graph: Graph): Node | undefined {
  for (const node of graph.allNodes()) if (gives(node) === "integers") return node;
  return undefined;
}

/**
 * Whether a node stands between integers: engines compute such a group on integers as long as nothing comes between.
 * Weights alone that are stored as integers make no such group.
 */
export function standsBetweenIntegers(graph: Graph, node: Node): boolean {
  if (gives(node) !== undefined) return false;
  return (
    node.inputs.some((input) => input !== null && wasRounded(graph, input)) ||
    node.outputs.some((output) => output !== null && isRounded(graph, output))
  );
}

/** What constants, nodes and the names that they read and give take in a file, nearly. */
export function fileBytes(graph: Graph): number {
  let bytes = 0;
  for (const { name, constant } of graph.allValues())
    if (constant !== undefined) bytes += constant.byteLength + name.length;
  const named = (value: ValueId | null): number =>
    value === null ? 2 : graph.value(value).name.length + 2;
  for (const { op, name, inputs, outputs, attributes } of graph.allNodes()) {
    bytes += op.length + name.length + attributes.size * 16;
    for (const value of [...inputs, ...outputs]) bytes += named(value);
  }
  return bytes;
}

function isRounded(graph: Graph, value: ValueId): boolean {
  for (const use of graph.value(value).uses)
    if (use.kind === "node" && gives(graph.node(use.node)) === "integers") return true;
  return false;
}

function gives(node: Node): "integers" | "floats" | undefined {
  return operatorOf(node)?.traits.quantization?.gives;
}
