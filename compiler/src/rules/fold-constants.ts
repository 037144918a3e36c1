import { elementCount, isDtype, type Tensor as Dense } from "@pare/runtime/format";
import {
  bodiesOf,
  type Graph,
  isStatic,
  type Node,
  Tensor,
  type TensorData,
  type ValueId,
} from "../ir/index.js";
import { evaluateNode } from "../ops/evaluate.js";
import { operatorRow } from "../ops/table.js";
import { dtypeOf, shapeOf } from "./pattern.js";
import type { Rule } from "./rule.js";

/** So few bytes cost less in a file than the node that makes them. */
const smallBytes = 256;

/** Their purpose is to be stored small and to be expanded by the engine. */
const kept = new Set(["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"]);

/**
 * f(constants) → constant, unless the file would grow: a result is at most as large as the inputs that it frees.
 * What expands (ConstantOfShape, Expand, Tile) or is decoded from a shared weight stays a node.
 */
export const foldConstants: Rule = {
  name: "fold-constants",
  exactness: "rounding",
  ops: "any",
  match(graph, node) {
    const row = operatorRow(node.domain, node.op);
    if (
      row?.evaluate === undefined ||
      row.deterministic === false ||
      kept.has(node.op) ||
      bodiesOf(node).length > 0
    )
      return undefined;
    const inputs: (Tensor | null)[] = [];
    for (const id of node.inputs) {
      const tensor = id === null ? null : graph.constant(id);
      if (tensor === undefined) return undefined;
      inputs.push(tensor);
    }
    const outputs = node.outputs.filter((id) => id !== null);
    const size = outputs.reduce((sum, id) => sum + bytesOfValue(graph, id), 0);
    const freed = freedBytes(graph, node);
    if (size > Math.max(smallBytes, freed)) {
      return Number.isFinite(size) && size > smallBytes
        ? { miss: `folding it would add ${size - freed} bytes to the file` }
        : undefined;
    }
    const present = inputs.filter((tensor) => tensor !== null);
    if (present.every((tensor) => tensor.data !== undefined)) {
      // Evaluate first: what cannot be evaluated is no rewrite.
      const results = evaluate(
        graph,
        node,
        inputs,
        present.map((tensor) => tensor.data ?? []),
      );
      return results === undefined
        ? undefined
        : {
            because: "computed from constants",
            rewrite: (editor) => put(graph, node, results, editor),
          };
    }
    return {
      because: "computed from constants",
      needs: present,
      rewrite(editor, data) {
        const results = evaluate(graph, node, inputs, data);
        if (results !== undefined) put(graph, node, results, editor);
      },
    };
  },
};

function put(
  graph: Graph,
  node: Node,
  results: readonly (Tensor | null)[],
  editor: Parameters<Parameters<Graph["edit"]>[1]>[0],
): void {
  node.outputs.forEach((id, index) => {
    const tensor = results[index];
    if (id === null || tensor === null || tensor === undefined) return;
    const value = graph.value(id);
    editor.replace(
      id,
      editor.constant(value.name, tensor, graph.body(node.body)),
      "computed from constants",
    );
  });
}

function evaluate(
  graph: Graph,
  node: Node,
  inputs: readonly (Tensor | null)[],
  data: readonly TensorData[],
): readonly (Tensor | null)[] | undefined {
  let next = 0;
  const dense = inputs.map((tensor): Dense | null => {
    if (tensor === null) return null;
    const elements = data[next] ?? [];
    next += 1;
    return { type: tensor.dtype, dims: tensor.dims, data: elements };
  });
  let results: readonly (Dense | null)[] | undefined;
  try {
    results = evaluateNode(graph, node, dense);
  } catch {
    // Inputs that the operator refuses: the engine will say so; the node stays.
    return undefined;
  }
  if (results === undefined || node.outputs.some((id, index) => id !== null && !results[index]))
    return undefined;
  return results.map((result) =>
    result === null ? null : Tensor.of(result.type, result.dims, result.data),
  );
}

/** Infinity where the shape is not known before it is computed, unless nothing large can come of it. */
function bytesOfValue(graph: Graph, id: ValueId): number {
  const shape = shapeOf(graph, id);
  const dtype = dtypeOf(graph, id);
  if (shape === undefined || dtype === undefined || !isDtype(dtype) || !isStatic(shape))
    return Infinity;
  return dtype === "string"
    ? elementCount(shape)
    : Tensor.lazy(dtype, shape, () => Promise.resolve([])).byteLength;
}

/** Bytes of the constants that only this node reads. */
function freedBytes(graph: Graph, node: Node): number {
  let bytes = 0;
  for (const id of new Set(node.inputs)) {
    if (id === null) continue;
    const value = graph.value(id);
    const alone = value.uses.every((use) => use.kind === "node" && use.node === node.id);
    if (alone) bytes += value.constant?.byteLength ?? 0;
  }
  return bytes;
}
