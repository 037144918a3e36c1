import type { Tensor as Dense } from "@pare/runtime/format";
import { edit, type Editor, type Graph, type Node, Tensor, type ValueId } from "../ir/index.js";
import { take } from "../ops/elements/take.js";
import { sourceIndices, steps, stridesOf } from "../ops/families/indexing.js";
import { channelNode, type Fit, type Kept, operatorOf, type Port } from "../ops/index.js";
import type { ChannelAxes, ChannelAxis } from "./axes.js";
import type { Group } from "./groups.js";

/** Which units of a group go. */
export interface GroupCut {
  readonly group: Group;
  readonly gone: readonly number[];
}

/** The places that stay, of every axis from which any go. */
export type Staying = ReadonlyMap<ChannelAxis, readonly number[]>;

export function stayingPlaces(cuts: readonly GroupCut[]): Staying {
  const going = new Map<ChannelAxis, Set<number>>();
  for (const { group, gone } of cuts)
    for (const { axis, width, places } of group.members)
      for (const unit of gone) {
        const there = going.get(axis) ?? new Set();
        going.set(axis, there);
        for (const place of places.subarray(unit * width, (unit + 1) * width)) there.add(place);
      }
  return new Map(
    [...going].map(([axis, gone]) => [
      axis,
      Array.from({ length: axis.size }, (_, place) => place).filter((place) => !gone.has(place)),
    ]),
  );
}

/**
 * Takes units out of a model: their slices of all constants, and what nodes say of sizes. What is left computes what the
 * model would compute were the channels zero wherever they are summed over, to rounding.
 */
export async function cutChannels(
  graph: Graph,
  axes: ChannelAxes,
  cuts: readonly GroupCut[],
  note?: (editor: Editor) => void,
): Promise<void> {
  const staying = stayingPlaces(cuts);
  const tensors = await slicedConstants(graph, staying);
  const fits = [...touchedNodes(axes, staying)].flatMap((node) =>
    fitsOf(graph, axes, staying, node),
  );
  edit(graph, "prune", (editor) => {
    for (const one of tensors) put(graph, editor, one);
    for (const { node, fit } of fits) say(graph, editor, node, fit);
    note?.(editor);
  });
}

interface Sliced {
  readonly value: ValueId;
  /** The one reader; undefined where all that read the constant read what is left of it. */
  readonly use: ChannelAxis["use"];
  readonly tensor: Tensor;
}

async function slicedConstants(graph: Graph, staying: Staying): Promise<readonly Sliced[]> {
  const byPlace = new Map<string, ChannelAxis[]>();
  for (const axis of staying.keys()) {
    if (graph.constant(axis.value) === undefined) continue;
    const key = `${axis.value}.${axis.use?.node.id}.${axis.use?.index}`;
    const there = byPlace.get(key);
    if (there === undefined) byPlace.set(key, [axis]);
    else there.push(axis);
  }
  const found: Sliced[] = [];
  for (const all of byPlace.values()) {
    const [first] = all;
    const tensor = first && graph.constant(first.value);
    if (first === undefined || tensor === undefined) continue;
    const kept = new Map(all.map((axis) => [axis.axis, staying.get(axis) ?? []]));
    found.push({ value: first.value, use: first.use, tensor: await sliced(tensor, kept) });
  }
  return found;
}

/** Only what stays, on each axis that is cut. */
async function sliced(
  tensor: Tensor,
  kept: ReadonlyMap<number, readonly number[]>,
): Promise<Tensor> {
  const from: Dense = { type: tensor.dtype, dims: tensor.dims, data: await tensor.readArray() };
  const strides = stridesOf(tensor.dims);
  const parts = tensor.dims.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    return kept.get(axis)?.map((place) => place * stride) ?? steps(size, stride);
  });
  const dims = parts.map(({ length }) => length);
  const { data } = take(from, sourceIndices(parts), dims);
  return Tensor.of(tensor.dtype, dims, data);
}

function put(graph: Graph, editor: Editor, { value, use, tensor }: Sliced): void {
  const { uses, name } = graph.value(value);
  if (use === undefined || uses.length === 1) editor.setConstant(value, tensor);
  else {
    const copy = editor.constant(`${name}_pruned`, tensor, graph.body(use.node.body));
    editor.setInput(use.node.id, use.index, copy);
  }
}

function touchedNodes(axes: ChannelAxes, staying: Staying): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (const axis of staying.keys()) for (const { node } of axes.ends(axis)) found.add(node);
  return found;
}

function fitsOf(
  graph: Graph,
  axes: ChannelAxes,
  staying: Staying,
  node: Node,
): readonly { readonly node: Node; readonly fit: Fit }[] {
  const kept: Kept = {
    places(port: Port, axis: number) {
      const known = axes.known(node, port, axis);
      return known && staying.get(known);
    },
  };
  const fits = operatorOf(node)?.channels?.fit?.(channelNode(graph, node), kept) ?? [];
  return fits.map((fit) => ({ node, fit }));
}

function say(graph: Graph, editor: Editor, node: Node, fit: Fit): void {
  if ("attribute" in fit) {
    if (fit.value !== undefined || node.attributes.has(fit.attribute))
      editor.setAttribute(node.id, fit.attribute, fit.value);
    return;
  }
  const before = graph.constant(node.inputs[fit.input]);
  const dims = before?.dims.length === 0 ? [] : [fit.integers.length];
  const tensor =
    before?.dtype === "int32"
      ? Tensor.of("int32", dims, Int32Array.from(fit.integers))
      : Tensor.int64(fit.integers, dims);
  const copy = editor.constant(`${graph.nodeLabel(node)}_sizes`, tensor, graph.body(node.body));
  editor.setInput(node.id, fit.input, copy);
}
