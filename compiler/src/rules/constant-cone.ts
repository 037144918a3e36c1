import type { Tensor as Dense } from "@pare/runtime/format";
import {
  bodiesOf,
  type Graph,
  type Node,
  type NodeId,
  Tensor,
  type TensorData,
  type ValueId,
} from "../ir/index.js";
import { evaluateNode } from "../ops/evaluate.js";
import { operatorRow } from "../ops/table.js";

/** Their purpose is to be stored small and to be expanded by the engine. */
const kept = new Set(["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"]);

/** Beyond so many nodes a cone is left to the engine. */
const nodeLimit = 64;

/** A node and all that it is computed from, down to constants alone. */
export interface ConstantCone {
  /** In order of execution; the last one is the root. */
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<ValueId, Tensor>;
}

/** Undefined where something that it is computed from is no constant, or has no evaluation. */
export function constantCone(graph: Graph, root: Node): ConstantCone | undefined {
  const nodes: Node[] = [];
  const seen = new Set<NodeId>();
  const constants = new Map<ValueId, Tensor>();
  const visit = (node: Node): boolean => {
    if (seen.has(node.id)) return true;
    seen.add(node.id);
    if (seen.size > nodeLimit || !isEvaluable(node)) return false;
    for (const id of node.inputs) {
      if (id === null) continue;
      const tensor = graph.constant(id);
      const producer = graph.producer(id);
      if (tensor !== undefined) constants.set(id, tensor);
      else if (producer === undefined || !visit(producer)) return false;
    }
    nodes.push(node);
    return true;
  };
  return visit(root) ? { nodes, constants } : undefined;
}

function isEvaluable(node: Node): boolean {
  const row = operatorRow(node.domain, node.op);
  return (
    row?.evaluate !== undefined &&
    row.deterministic !== false &&
    !kept.has(node.op) &&
    bodiesOf(node).length === 0
  );
}

/** Bytes of the constants that go when the root's outputs become constants themselves. */
export function freedBytes(graph: Graph, { nodes, constants }: ConstantCone): number {
  const root = nodes.at(-1);
  const going = new Set<NodeId>();
  const isRead = (id: ValueId): boolean =>
    graph.value(id).uses.some((use) => use.kind === "output" || !going.has(use.node));
  for (const node of [...nodes].reverse()) {
    if (node === root || !node.outputs.some((id) => id !== null && isRead(id))) going.add(node.id);
  }
  let bytes = 0;
  for (const [id, tensor] of constants) if (!isRead(id)) bytes += tensor.byteLength;
  return bytes;
}

/**
 * The root's outputs. Undefined where an evaluation refuses its inputs: the engine will say so.
 * @param data of the cone's constants, in order
 */
export function evaluateCone(
  graph: Graph,
  { nodes, constants }: ConstantCone,
  data: readonly TensorData[],
): readonly (Tensor | null)[] | undefined {
  const values = new Map<ValueId, Dense>();
  [...constants].forEach(([id, { dtype, dims }], index) =>
    values.set(id, { type: dtype, dims, data: data[index] ?? [] }),
  );
  let results: readonly (Dense | null)[] = [];
  for (const node of nodes) {
    try {
      results =
        evaluateNode(
          graph,
          node,
          node.inputs.map((id) => (id === null ? null : (values.get(id) ?? null))),
        ) ?? [];
    } catch {
      return undefined;
    }
    for (const [index, id] of node.outputs.entries()) {
      const result = results[index];
      if (id === null) continue;
      if (result === undefined || result === null) return undefined;
      values.set(id, result);
    }
  }
  return results.map((result) =>
    result === null ? null : Tensor.of(result.type, result.dims, result.data),
  );
}
