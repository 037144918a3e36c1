import { floatAtLeast, floatAtMost } from "@pare/runtime/format";
import { attribute, type Editor, type Graph, type Node, type Tensor } from "../../ir/index.js";

/** What a node of trees lists in float64, as tensors, and in float32, as floats. */
const suffix = "_as_tensor";

/** Is a tensor among its attributes one of those? */
export function isOfTrees(node: Node, name: string): boolean {
  return (
    node.domain === "ai.onnx.ml" && node.op.startsWith("TreeEnsemble") && name.endsWith(suffix)
  );
}

/** Of a node its lists in float64. */
export type Lists = ReadonlyMap<string, readonly number[]>;

export async function readTrees(graph: Graph): Promise<ReadonlyMap<Node, Lists>> {
  const trees = new Map<Node, Lists>();
  for (const node of graph.allNodes()) {
    const lists = new Map<string, readonly number[]>();
    for (const [name, given] of node.attributes)
      if (given.type === "tensor" && isOfTrees(node, name))
        lists.set(name, await numbersOf(given.value));
    if (lists.size > 0) trees.set(node, lists);
  }
  return trees;
}

/** Does a node ask whether a feature equals a number that no float is? Then no float can stand in its place. */
export function asksForNoFloat(node: Node, lists: Lists): boolean {
  const modes = node.attributes.get("nodes_modes");
  const isOther = (value: number, at: number): boolean =>
    modes?.type === "strings" &&
    (modes.value[at] === "BRANCH_EQ" || modes.value[at] === "BRANCH_NEQ") &&
    Math.fround(value) !== value;
  return lists.get(`nodes_values${suffix}`)?.some(isOther) === true;
}

/**
 * Lets trees whose thresholds and scores are float64 say them in float32. A threshold becomes the float beside it with which
 * every float is compared as with the threshold itself: what scikit-learn asks, too, is of samples in float32.
 */
export function sayTreesInFloats(editor: Editor, node: Node, lists: Lists): void {
  for (const [name, values] of lists) {
    const own = name.slice(0, -suffix.length);
    const floats = own === "nodes_values" ? thresholds(node, values) : values.map(Math.fround);
    editor.setAttribute(node.id, name, undefined);
    editor.setAttribute(node.id, own, attribute.floats(floats));
  }
}

function thresholds(node: Node, values: readonly number[]): readonly number[] {
  const modes = node.attributes.get("nodes_modes");
  return values.map((value, at) => {
    const mode = modes?.type === "strings" ? modes.value[at] : undefined;
    switch (mode) {
      case "BRANCH_LEQ":
      case "BRANCH_GT":
        return floatAtMost(value);
      case "BRANCH_LT":
      case "BRANCH_GTE":
        return floatAtLeast(value);
      default:
        return Math.fround(value);
    }
  });
}

async function numbersOf(tensor: Tensor): Promise<readonly number[]> {
  const data = await tensor.read();
  return data instanceof Float64Array || data instanceof Float32Array ? [...data] : [];
}
