import type { Tensor as Dense } from "@pare/runtime/format";
import { edit, type Graph, type Node, Tensor, type ValueId } from "../../../ir/index.js";
import { normalAxis } from "../../../ops/families/indexing.js";
import { attributeReader, evaluateNode, operatorOf } from "../../../ops/index.js";
import { unpackNumbers } from "../../../ops/elements/arrays.js";
import { scaleIndices } from "../../../ops/reference/quantized.js";
import { scaleDimsOf, type StoredConstants, type StoredIntegers } from "../stored-constants.js";
import { isPlain } from "./quantization.js";

/**
 * Makes float constants of those that are stored as integers, whoever reads them, and keeps the integers beside them.
 * What an exporter rounds itself, a float constant between QuantizeLinear and DequantizeLinear, is rounded here.
 */
export async function decodeConstants(graph: Graph): Promise<StoredConstants> {
  const known = new Map<ValueId, Dense>();
  const stored = new Map<ValueId, StoredIntegers>();
  const read = async (id: ValueId): Promise<Dense | undefined> => {
    const before = known.get(id);
    const constant = graph.constant(id);
    if (before !== undefined || constant === undefined || constant.dtype === "string")
      return before;
    return { type: constant.dtype, dims: constant.dims, data: await constant.readArray() };
  };
  const decoded: { readonly id: ValueId; readonly node: Node; readonly floats: Dense }[] = [];
  for (const node of graph.order()) {
    const isQuantizing = operatorOf(node)?.traits.quantization !== undefined && node.domain === "";
    const [source] = node.inputs;
    const before = source === null || source === undefined ? undefined : stored.get(source);
    const isMoved = before !== undefined && movers.some((op) => isPlain(node, op));
    const [output] = node.outputs;
    if ((!isQuantizing && !isMoved) || output === null || output === undefined) continue;
    const inputs: (Dense | null)[] = [];
    for (const id of node.inputs) {
      const tensor = id === null ? null : await read(id);
      if (tensor === undefined) break;
      inputs.push(tensor);
    }
    if (inputs.length < node.inputs.length) continue;
    const [made] = evaluateNode(graph, node, inputs) ?? [];
    if (made === null || made === undefined) continue;
    known.set(output, made);
    if (made.type !== "float32") continue;
    decoded.push({ id: output, node, floats: made });
    const [first] = inputs;
    const integers = isMoved ? moved(graph, node, before, first?.dims) : integersOf(node, inputs);
    if (integers !== undefined) stored.set(output, integers);
  }
  if (decoded.length === 0) return stored;
  return edit(graph, "decode-constants", (editor) => {
    const constants = new Map<ValueId, StoredIntegers>();
    for (const { id, floats } of decoded) {
      if (graph.isOutput(id)) continue;
      const tensor = Tensor.of(floats.type, floats.dims, floats.data);
      const constant = editor.constant(graph.value(id).name, tensor);
      const integers = stored.get(id);
      if (integers !== undefined) constants.set(constant, integers);
      editor.replace(id, constant, "stored as integers");
    }
    return constants;
  });
}

/** What a DequantizeLinear reads, zero points taken off; undefined where that needs more bits. */
function integersOf(
  node: Node,
  [x, scale, zero]: readonly (Dense | null)[],
): StoredIntegers | undefined {
  if (x === null || x === undefined || scale === null || scale === undefined) return undefined;
  const attributes = attributeReader(node.attributes);
  const block = attributes.int("block_size", 0);
  const { dims } = x;
  if (scale.type !== "float32" || (block === 0 && scale.dims.length > 1)) return undefined;
  const scales = Float32Array.from(scale.data as Float32Array);
  const axis = normalAxis(attributes.int("axis", 1), dims.length);
  if (block === 0 && scales.length > 1 && scales.length !== dims[axis]) return undefined;
  const how = { dims, scales, axis, block };
  if (x.type === "int32" && x.data instanceof Int32Array)
    return { dtype: "int32", data: x.data, ...how };
  if (!/^u?int[248]$/.test(x.type)) return undefined;
  const from = unpackNumbers(x);
  const zeros = zero === null || zero === undefined ? undefined : unpackNumbers(zero);
  const indices = zeros && scaleIndices(dims, zero?.dims ?? [], axis, block);
  const data = new Int8Array(from.length);
  for (let i = 0; i < from.length; i += 1) {
    const value = (from[i] ?? 0) - (zeros?.[indices?.[i] ?? 0] ?? 0);
    if (value < -128 || value > 127) return undefined;
    data[i] = value;
  }
  return { dtype: "int8", data, ...how };
}

/** What quantizers write behind a DequantizeLinear of weights: blocks lie along one axis of a matrix, whatever the weights' rank. */
const movers = ["Transpose", "Reshape"];

/**
 * The integers of a constant that is transposed, or reshaped: in the order in which they lie then.
 * @param dims of the constant before
 */
function moved(
  graph: Graph,
  node: Node,
  before: StoredIntegers,
  dims: readonly number[] | undefined,
): StoredIntegers | undefined {
  if (before.dtype !== "int8" || before.dims.join() !== dims?.join()) return undefined;
  // Blocks are only ever asked for element by element; of channels it is asked which axis they are.
  if (node.op === "Reshape") return before.block > 0 ? before : undefined;
  const turn = (tensor: Dense): Dense | null | undefined =>
    evaluateNode(graph, node, [tensor])?.[0];
  const made = turn({ type: "int8", dims: before.dims, data: before.data });
  if (!(made?.data instanceof Int8Array)) return undefined;
  const scales =
    before.block === 0
      ? before.scales
      : turn({ type: "float32", dims: scaleDimsOf(before), data: before.scales })?.data;
  if (!(scales instanceof Float32Array)) return undefined;
  const backwards = before.dims.map((_, at) => before.dims.length - 1 - at);
  const perm = attributeReader(node.attributes).ints("perm") ?? backwards;
  const axis = perm.indexOf(before.axis);
  return { ...before, dims: made.dims, data: made.data, scales, axis };
}
