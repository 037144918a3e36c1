import {
  attribute,
  type Attributes,
  type Graph,
  type Node,
  shapeOf,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { operatorOf } from "../../ops/index.js";
import { attributesOf, inputOf, numbersOf, outputOf } from "../pattern.js";

/**
 * How a node takes one of its inputs when its axes come in another order: `turned` as its result is, `broadcast` as a
 * constant of fewer axes, `kept` as it is, or as other numbers.
 */
export type TurnedInput = "turned" | "broadcast" | "kept" | Tensor;

/** A node said for values whose axes come in another order. */
export interface TurnedNode {
  readonly inputs: readonly TurnedInput[];
  /** Those that are other than before. */
  readonly attributes: Attributes;
  /** Whether its results are turned too: what is reduced to fewer axes is the same again. */
  readonly isTurned: boolean;
}

/**
 * The node such that it gives x where it gave y = Transpose(x, perm); undefined where it cannot be said.
 * @param perm axis i of what the node reads and gives is axis perm[i] of what it shall read and give
 */
export function turnedNode(
  graph: Graph,
  node: Node,
  perm: readonly number[],
): TurnedNode | undefined {
  const operator = operatorOf(node);
  const rank = shapeOf(graph, outputOf(node))?.length;
  if (node.domain !== "") return undefined;
  if (operator?.traits.elementwise === true)
    return rank === perm.length ? turnedElementwise(graph, node, rank) : undefined;
  if (operator?.traits.reduces === true) return turnedReduction(graph, node, perm);
  if (rank !== perm.length) return undefined;
  switch (node.op) {
    case "Concat":
      return alongAxis(node, perm, node.inputs.length);
    case "Softmax":
    case "LogSoftmax":
    case "Split":
      return alongAxis(node, perm, 1);
    case "Pad":
      return turnedPad(graph, node, perm);
    case "Slice":
      return turnedSlice(graph, node, perm);
    default:
      return undefined;
  }
}

function turnedElementwise(graph: Graph, node: Node, rank: number): TurnedNode | undefined {
  const inputs: TurnedInput[] = [];
  for (const id of node.inputs) {
    const shape = shapeOf(graph, id ?? undefined);
    if (id === null || shape?.length === 0 || isSingle(graph, id)) inputs.push("kept");
    else if (shape?.length === rank) inputs.push("turned");
    else if (shape !== undefined && graph.constant(id) !== undefined) inputs.push("broadcast");
    else return undefined;
  }
  return { inputs, attributes: {}, isTurned: true };
}

/** One number is broadcast alike whatever the order of axes is. */
function isSingle(graph: Graph, id: ValueId): boolean {
  return graph.constant(id)?.count === 1;
}

/** @param turned how many inputs come first that are turned; others are kept */
function alongAxis(node: Node, perm: readonly number[], turned: number): TurnedNode | undefined {
  const axis = attributesOf(node).int("axis", node.op === "Split" ? 0 : -1);
  const to = perm.at(axis);
  if (to === undefined) return undefined;
  return {
    inputs: node.inputs.map((_, index) => (index < turned ? "turned" : "kept")),
    attributes: { axis: attribute.int(to) },
    isTurned: true,
  };
}

function turnedReduction(
  graph: Graph,
  node: Node,
  perm: readonly number[],
): TurnedNode | undefined {
  const axes = numbersOf(graph, inputOf(node, 1))?.map((axis) => perm.at(axis));
  const known = axes?.filter((axis) => axis !== undefined);
  if (shapeOf(graph, inputOf(node, 0))?.length !== perm.length) return undefined;
  if (known === undefined || known.length === 0 || known.length !== axes?.length) return undefined;
  const isKept = attributesOf(node).int("keepdims", 1) === 1;
  const left = perm.filter((axis) => !known.includes(axis));
  const keepsOrder = left.every((axis, at) => at === 0 || axis > (left[at - 1] ?? 0));
  if (!isKept && !keepsOrder) return undefined;
  return { inputs: ["turned", Tensor.int64(known)], attributes: {}, isTurned: isKept };
}

function turnedPad(graph: Graph, node: Node, perm: readonly number[]): TurnedNode | undefined {
  const pads = numbersOf(graph, inputOf(node, 1));
  if (pads?.length !== 2 * perm.length || inputOf(node, 3) !== undefined) return undefined;
  const moved = Array.from(pads);
  for (const [from, to] of perm.entries()) {
    moved[to] = pads[from] ?? 0;
    moved[perm.length + to] = pads[perm.length + from] ?? 0;
  }
  const filling: readonly TurnedInput[] = node.inputs.slice(2).map(() => "kept");
  return { inputs: ["turned", Tensor.int64(moved), ...filling], attributes: {}, isTurned: true };
}

function turnedSlice(graph: Graph, node: Node, perm: readonly number[]): TurnedNode | undefined {
  const axes = numbersOf(graph, inputOf(node, 3))?.map((axis) => perm.at(axis));
  const known = axes?.filter((axis) => axis !== undefined);
  if (known === undefined || known.length !== axes?.length) return undefined;
  const steps: readonly TurnedInput[] = node.inputs.slice(4).map(() => "kept");
  return {
    inputs: ["turned", "kept", "kept", Tensor.int64(known), ...steps],
    attributes: {},
    isTurned: true,
  };
}
