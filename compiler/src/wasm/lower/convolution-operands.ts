import { windowAxes } from "../../ops/families/window.js";
import { laneCount, vectorsOf } from "../kernels/kernel.js";
import {
  channelsLast,
  type Halo,
  hasWholeVectors,
  noHalo,
  rowMajor,
  sizeAt,
  stepAt,
  type View,
} from "../plan/view.js";
import { convolutionHalo } from "./convolution-halo.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";

/** A convolution over two axes; over one, the rows are one row. */
export interface Convolution {
  readonly maps: number;
  readonly group: number;
  /** Channels of the input that a result sums over. */
  readonly depth: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly before: readonly [number, number];
}

/** By axis; of one axis, the rows count as `one`. */
function two(numbers: readonly number[], one: number): readonly [number, number] {
  const [first = one, second] = numbers;
  return second === undefined ? [one, first] : [first, second];
}

export function geometryOf(node: NodeFacts): Convolution {
  const [maps = 1, depth = 1, ...kernel] = node.dims(1);
  const axes = windowAxes(node.dims(0).slice(2), kernel, node.attributes);
  return {
    maps,
    depth,
    group: node.attributes.int("group", 1),
    kernel: two(kernel, 1),
    strides: two(
      axes.map(({ stride }) => stride),
      1,
    ),
    dilations: two(
      axes.map(({ dilation }) => dilation),
      1,
    ),
    before: two(
      axes.map(({ before }) => Number(before)),
      0,
    ),
  };
}

/** Up to this many channels are summed from planes of their own as well as from side by side. */
const mostPlanes = 4;

/**
 * The input with as many zeros around it as the pads are, its channels innermost; copied where it does not lie so. Few
 * channels stay in planes, whose rows are copied as they are.
 */
export function inputOf(node: NodeFacts, l: Lowering, whole: boolean): View {
  const view = l.view(node.required(0));
  const pads: readonly Halo[] = [noHalo, noHalo, ...convolutionHalo(node)];
  const hasPads = pads.every(([before, after], axis) => {
    const [b, a] = view.halo[axis] ?? noHalo;
    return b >= before && a >= after;
  });
  const isPoint = node
    .dims(1)
    .slice(2)
    .every((size) => size === 1);
  const isPlanar = !whole && sizeAt(view, 1) <= mostPlanes && view.lanes === view.dims.length - 1;
  const isOrdered = view.lanes === 1 || sizeAt(view, 1) === 1 || isPlanar || (isPoint && !whole);
  if (hasPads && isOrdered && (!whole || (view.lanes === 1 && hasWholeVectors(view)))) return view;
  const order = isPlanar ? rowMajor(view.dims.length) : channelsLast(view.dims.length);
  return l.copied(view, { order, padded: whole, halo: pads });
}

/** Bytes from the input's first element to where the window of the first result begins. */
export function shiftOf(x: View, { before }: Convolution): number {
  return -before[0] * stepAt(x, 2) - before[1] * stepAt(x, 3);
}

export function spread(view: View | undefined, axis: number): number {
  return view === undefined || sizeAt(view, axis) === 1 ? 0 : stepAt(view, axis);
}

export function biasOf(node: NodeFacts, l: Lowering): Float32Array | undefined {
  const id = node.input(2);
  return id === undefined ? undefined : l.floats(id);
}

export function otherOf(
  l: Lowering,
  other: number | undefined,
  y: View,
  operand: () => View,
): View | undefined {
  if (other === undefined) return undefined;
  const view = operand();
  // What is beyond its last channel would get into lanes that pad the result.
  return y.padded && sizeAt(y, 1) % laneCount > 0 ? l.withLanes(view, 1, true) : view;
}

/** Of each group whole vectors. */
export function packedBias(
  bias: Float32Array | undefined,
  group: number,
  own: number,
): Float32Array | undefined {
  if (bias === undefined) return undefined;
  const width = vectorsOf(own) * laneCount;
  const packed = new Float32Array(width * group);
  bias.forEach((value, m) => (packed[Math.floor(m / own) * width + (m % own)] = value));
  return packed;
}
