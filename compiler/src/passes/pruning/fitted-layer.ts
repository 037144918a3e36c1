import { type Unweighted, type WeightedNode, weightedNode } from "../../analysis/weighted-node.js";
import { type Editor, type Graph, type Node, Tensor, type ValueId } from "../../ir/index.js";

/** More inputs of one output than this would be solved for minutes, in gigabytes. */
const mostInputs = 3072;

/** A layer whose weights can be fitted to what it is to give: of each output a row of weights, and an intercept. */
export interface FittedLayer {
  readonly weighted: WeightedNode;
  /** Of all groups. */
  readonly outputs: number;
  /** Of one output. */
  readonly inputs: number;
  /** What it gives with its intercepts: of a product, what the Add behind it gives. */
  readonly result: ValueId;
  /** Null for a product that nothing is added to. */
  readonly intercepts: {
    readonly node: Node;
    readonly input: number;
    /** Null where there are none yet. */
    readonly tensor: Tensor | null;
  } | null;
}

/** What can be fitted of a node, or why nothing. */
export function fittedLayer(graph: Graph, node: Node): FittedLayer | Unweighted {
  const weighted = weightedNode(graph, node);
  if ("why" in weighted) return weighted;
  const { kind, axis, weight, weightTensor, group, linear, bias } = weighted;
  if (kind === "transposed" || axis === undefined)
    return { why: "its outputs have no weights each of its own" };
  if (graph.value(weight).uses.length > 1) return { why: "its weights are read elsewhere too" };
  const outputs = weightTensor.dims[axis] ?? 1;
  const inputs = weightTensor.count / outputs;
  if (inputs * Math.sqrt(group) > mostInputs)
    return { why: `an output reads ${inputs} inputs, more than ${mostInputs}` };
  const [output] = node.outputs;
  if (output === null || output === undefined) return { why: "nobody reads it" };
  if (linear.bias === undefined) {
    const added = addedTo(graph, output, outputs);
    const result = added?.node.outputs[0] ?? output;
    return { weighted, outputs, inputs, result, intercepts: added };
  }
  const intercepts = { node, input: linear.bias, tensor: bias?.tensor ?? null };
  return { weighted, outputs, inputs, result: output, intercepts };
}

/** Exporters write the bias of a product that cannot add as an Add behind it. */
function addedTo(graph: Graph, product: ValueId, outputs: number): FittedLayer["intercepts"] {
  const [use, other] = graph.value(product).uses;
  if (use?.kind !== "node" || other !== undefined) return null;
  const node = graph.node(use.node);
  if (node.op !== "Add" || node.domain !== "") return null;
  const input = 1 - use.index;
  const tensor = graph.constant(node.inputs[input]);
  const isOneEach = tensor?.dims.length === 1 && tensor.count === outputs;
  return tensor?.dtype === "float32" && isOneEach ? { node, input, tensor } : null;
}

/** Of each output its weights, and where there are intercepts its own: [outputs, inputs (+ 1)]. */
export async function rowsOf(layer: FittedLayer): Promise<Float64Array> {
  const { weighted, outputs, inputs, intercepts } = layer;
  const weights = await weighted.weightTensor.readFloat32();
  const added = await intercepts?.tensor?.readFloat32();
  const width = unknownsOf(layer);
  const rows = new Float64Array(outputs * width);
  const [perOutput, perInput] = stridesOf(layer);
  for (let output = 0; output < outputs; output += 1) {
    const start = output * width;
    for (let input = 0; input < inputs; input += 1)
      rows[start + input] = weights[output * perOutput + input * perInput] as number;
    if (intercepts !== null) rows[start + inputs] = added?.[output] ?? 0;
  }
  return rows;
}

export function putRows(editor: Editor, layer: FittedLayer, rows: Float64Array): void {
  const { weighted, outputs, inputs, intercepts } = layer;
  const { weight, weightTensor } = weighted;
  const width = unknownsOf(layer);
  const weights = new Float32Array(weightTensor.count);
  const [perOutput, perInput] = stridesOf(layer);
  for (let output = 0; output < outputs; output += 1)
    for (let input = 0; input < inputs; input += 1)
      weights[output * perOutput + input * perInput] = rows[output * width + input] as number;
  editor.setConstant(weight, Tensor.float32(weightTensor.dims, weights));
  if (intercepts === null) return;
  const { node, input, tensor } = intercepts;
  const added = Float32Array.from({ length: outputs }, (_, output) =>
    Number(rows[output * width + inputs]),
  );
  // Equal constants may be shared by chance: this one is the node's own.
  const constant = editor.constant("intercepts", Tensor.float32(tensor?.dims ?? [outputs], added));
  editor.setInput(node.id, input, constant);
}

/** Numbers of an output's row. */
export function unknownsOf({ inputs, intercepts }: FittedLayer): number {
  return inputs + (intercepts === null ? 0 : 1);
}

/** Where the next output's weights lie, and the next input's: outputs lie on the first axis, or are a matrix's columns. */
function stridesOf({
  weighted,
  outputs,
  inputs,
}: FittedLayer): readonly [output: number, input: number] {
  return weighted.axis === 0 ? [inputs, 1] : [1, outputs];
}
