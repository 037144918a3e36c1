import { dtypeArray, type Dtype } from "@pare/runtime/format";
import { attribute, type Graph, isStatic, shapeOf, Tensor, type ValueId } from "../ir/index.js";
import { hasUnconfirmedSizes, operatorOf, unmetDemand } from "../ops/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { attributesOf, bypass, dtypeOf, inputOf, outputOf } from "./pattern.js";
import { replacing, type Rule } from "./rule.js";

const puts = ["ScatterND", "ScatterElements"];

/**
 * What has no elements is known, whatever it is computed of: exporters cut windows out of what is shorter than they are, and
 * carry on with nothing.
 */
export const foldEmpty: Rule = {
  name: "fold-empty",
  exactness: "bitwise",
  ops: "any",
  match(graph, node) {
    const output = outputOf(node);
    const dims = emptyShape(graph, output);
    const dtype = dtypeOf(graph, output);
    if (output === undefined || dims === undefined || dtype === undefined || dtype === "string")
      return undefined;
    const { dataMovement, elementwise } = operatorOf(node)?.traits ?? {};
    const isPlain = dataMovement !== undefined || elementwise === true || puts.includes(node.op);
    if (!isPlain || node.op === "Identity" || node.outputs.length !== 1) return undefined;
    // What a damaged file comes to may look like nothing.
    if (hasUnconfirmedSizes(graph, node) || unmetDemand(graph, node) !== undefined)
      return undefined;
    return replacing(output, "it has no elements", (editor) =>
      editor.constant(graph.value(output).name, emptyTensor(dtype, dims), graph.body(node.body)),
    );
  },
};

function emptyTensor(dtype: Exclude<Dtype, "string">, dims: readonly number[]): Tensor {
  return Tensor.of(dtype, dims, new dtypeArray[dtype](0));
}

/** Concat(x, nothing, y) = Concat(x, y) */
export const dropEmptyOperands: Rule = {
  name: "drop-empty-operands",
  exactness: "bitwise",
  ops: ["Concat"],
  match(graph, node) {
    const kept = node.inputs.filter((id) => emptyShape(graph, id ?? undefined) === undefined);
    const output = outputOf(node);
    if (output === undefined || kept.length === node.inputs.length || kept.length === 0)
      return undefined;
    const rank = shapeOf(graph, output)?.length;
    if (rank === undefined || unmetDemand(graph, node) !== undefined) return undefined;
    const axis = normalAxis(attributesOf(node).int("axis", 0), rank);
    const empties = node.inputs.filter((id) => !kept.includes(id));
    // Nothing along another axis would make nothing of all.
    if (!empties.every((id) => shapeOf(graph, id)?.every((size, at) => size !== 0 || at === axis)))
      return undefined;
    return replacing(output, "what it joins besides has no elements", (editor) => {
      const body = graph.body(node.body);
      return editor.add1("Concat", kept, { axis: attribute.int(axis) }, { body });
    });
  },
};

/** Scatter(x, where nothing is put) = x */
export const dropEmptyScatter: Rule = {
  name: "drop-empty-scatter",
  exactness: "bitwise",
  ops: puts,
  match(graph, node) {
    const isEmpty = [1, 2].some((at) => emptyShape(graph, inputOf(node, at)) !== undefined);
    return isEmpty && unmetDemand(graph, node) === undefined
      ? bypass(graph, node, inputOf(node, 0), "it puts nothing anywhere")
      : undefined;
  },
};

function emptyShape(graph: Graph, id: ValueId | undefined): readonly number[] | undefined {
  const shape = shapeOf(graph, id);
  return shape !== undefined && isStatic(shape) && shape.includes(0) ? shape : undefined;
}
