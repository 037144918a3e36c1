import { type ChannelPlace, channelsBehind, type NotBehind } from "../../analysis/homogeneous.js";
import {
  isWeightedOp,
  type Unweighted,
  type WeightedNode,
  weightedNode,
} from "../../analysis/weighted-node.js";
import { type Graph, type Node, type Tensor, type ValueId, shapeOf } from "../../ir/index.js";

/** A constant that is added on the way, an element per channel: a MatMul's bias. */
export interface Shift {
  readonly node: Node;
  readonly input: number;
  readonly tensor: Tensor;
  /** So many of its neighbouring elements belong to one output channel. */
  readonly each: number;
}

/** Two layers whose channels in between can be scaled without a change of the model. */
export interface Link {
  readonly from: WeightedNode;
  readonly to: WeightedNode;
  /** So many neighbouring inputs of `to` belong to one output channel of `from`. */
  readonly each: number;
  readonly shifts: readonly Shift[];
}

/** Follows what a layer gives to the next layer, or says why its channels cannot be scaled. */
export function linkBehind(graph: Graph, node: Node): Link | NotBehind {
  const from = layerOf(graph, node);
  if ("why" in from) return from;
  const channels = outputChannels(from);
  const axis = channelAxis(graph, node.outputs[0], from.linear.inputChannels);
  if (axis === undefined) return { why: "the rank of its result is not known" };
  let place: ChannelPlace = { axis, each: 1 };
  let value = node.outputs[0];
  const shifts: Shift[] = [];
  for (;;) {
    if (value === null || value === undefined) return { why: "nothing reads its result" };
    if (graph.isOutput(value)) return { why: "its result is an output of the model" };
    const { uses } = graph.value(value);
    const [next] = graph.consumers(value);
    if (next === undefined) return { why: "nothing reads its result" };
    if (uses.length > 1) return { why: `its result is read in ${uses.length} places` };
    if (next.body !== node.body) return { why: "its result is read inside control flow" };
    if (isWeightedOp(next)) return linkTo(graph, next, { from, shifts, place, channels, value });
    const shift = shiftBy(graph, next, value, channels, place);
    if (shift !== undefined) shifts.push(shift);
    else {
      const passed = next.inputs[0] === value ? channelsBehind(graph, next, place) : undefined;
      if (passed === undefined || "why" in passed)
        return passed ?? { why: `${next.op} behind it does not scale with its input` };
      place = passed;
    }
    value = next.outputs[0];
  }
}

interface Way {
  readonly from: WeightedNode;
  readonly shifts: readonly Shift[];
  readonly place: ChannelPlace;
  readonly channels: number;
  readonly value: ValueId;
}

function linkTo(graph: Graph, node: Node, way: Way): Link | NotBehind {
  const { from, shifts, place, channels, value } = way;
  const to = layerOf(graph, node);
  if ("why" in to) return { why: `of the ${node.op} behind it: ${to.why}` };
  const axis = channelAxis(graph, value, to.linear.inputChannels);
  if (to.activation !== value || axis !== place.axis || inputChannels(to) !== channels * place.each)
    return { why: `the ${node.op} behind it does not read its channels as inputs` };
  return { from, to, shifts, each: place.each };
}

function layerOf(graph: Graph, node: Node): WeightedNode | Unweighted {
  const weighted = weightedNode(graph, node);
  if ("why" in weighted) return weighted;
  if (weighted.kind === "matmul" && weighted.axis === undefined)
    return { why: "its weights are not a matrix" };
  if (graph.value(weighted.weight).uses.length > 1) return { why: "its weights are shared" };
  const { bias } = weighted;
  return bias !== null && bias.tensor.count !== outputChannels(weighted)
    ? { why: "its bias is not one number per output channel" }
    : weighted;
}

function outputChannels({ axis, weightTensor, group }: WeightedNode): number {
  const [first = 0, second = 0] = weightTensor.dims;
  return axis === 0 ? first : second * group;
}

function inputChannels({ axis, weightTensor, group }: WeightedNode): number {
  const [first = 0, second = 0] = weightTensor.dims;
  return axis === 0 ? second * group : first;
}

/** Where an operator reads channels, it gives them too. @param axis −1 is the last */
function channelAxis(
  graph: Graph,
  value: ValueId | null | undefined,
  axis: number,
): number | undefined {
  if (axis >= 0) return axis;
  const rank = shapeOf(graph, value)?.length ?? 0;
  return rank < 2 ? undefined : rank + axis;
}

/** An Add of a constant that has an element per channel, in their place. */
function shiftBy(
  graph: Graph,
  node: Node,
  value: ValueId,
  channels: number,
  { axis, each }: ChannelPlace,
): Shift | undefined {
  if (node.op !== "Add" || node.domain !== "") return undefined;
  const input = node.inputs[0] === value ? 1 : 0;
  const tensor = graph.constant(node.inputs[input]);
  const rank = shapeOf(graph, value)?.length;
  if (tensor?.dtype !== "float32" || rank === undefined || tensor.dims.length > rank)
    return undefined;
  const size = tensor.dims[axis - (rank - tensor.dims.length)];
  const fits = size === channels * each && tensor.count === size;
  return fits ? { node, input, tensor, each } : undefined;
}
