import { isStatic, product } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import {
  alongAxis,
  areAxes,
  type Demand,
  differ,
  isAxis,
  isGiven,
  isOneOf,
  isOther,
  noSuchAxis,
  numbersIn,
} from "./demand.js";

const concat: Demand = (context) => {
  const shapes = context.node.inputs.flatMap((_, input) => [context.shape(input) ?? []]);
  const isKnown = context.node.inputs.every((_, input) => context.shape(input) !== undefined);
  const [first = []] = shapes;
  const axis = context.attributes.int("axis");
  if (axis === undefined || (isKnown && !isAxis(axis, first.length))) return noSuchAxis;
  const along = normalAxis(axis, first.length);
  const wanted = first.map((size, at) => (at === along ? undefined : size));
  return isKnown && shapes.some((shape) => isOther(shape, wanted))
    ? "its inputs do not fit beside one another"
    : undefined;
};

const split: Demand = (context) => {
  const { attributes, node } = context;
  const shape = context.shape(0);
  const axis = attributes.int("axis", 0);
  if (!isAxis(axis, shape?.length)) return noSuchAxis;
  const size = shape?.[normalAxis(axis, shape.length)];
  const [sizes, parts] = [numbersIn(context, 1), attributes.int("num_outputs")];
  if (isGiven(context, 1)) {
    if (sizes === undefined) return undefined;
    const whole = sizes.reduce((sum, part) => sum + part, 0);
    const fits = sizes.length === node.outputs.length && sizes.every((part) => part >= 0);
    return fits && !differ(size, whole) ? undefined : "its parts are not all of its input";
  }
  if (parts !== undefined && parts !== node.outputs.length)
    return "it has not as many outputs as it says";
  const isEmpty = typeof size === "number" && (node.outputs.length - 1) * Math.ceil(size / node.outputs.length) >= size; // prettier-ignore
  return isEmpty ? "its parts are not all of its input" : undefined;
};

const transpose: Demand = (context) => {
  const [rank, order] = [context.shape(0)?.length, context.attributes.ints("perm")];
  if (rank === undefined || order === undefined) return undefined;
  const isOrder = order.length === rank && order.every((axis) => axis >= 0) && areAxes(order, rank);
  return isOrder ? undefined : "its perm is no order of its axes";
};

const unequal = "its result has not as many elements as its input";

const reshape: Demand = (context) => {
  const [from, to] = [context.shape(0), context.node.outputs[0]];
  const type = to === undefined || to === null ? undefined : context.graph.value(to).type;
  const result = type?.kind === "tensor" ? type.shape : undefined;
  if (from === undefined || result === undefined || !isStatic(from) || !isStatic(result))
    return undefined;
  const isOpen = numbersIn(context, 1)?.some((size) => size < -1) === true;
  return isOpen || product(from) !== product(result) ? unequal : undefined;
};

const flatten: Demand = (context) => {
  const [rank, axis] = [context.shape(0)?.length, context.attributes.int("axis", 1)];
  return rank === undefined || (axis >= -rank && axis <= rank) ? undefined : noSuchAxis;
};

const squeeze: Demand = (context) => {
  const [shape, axes] = [context.shape(0), numbersIn(context, 1)];
  if (!areAxes(axes, shape?.length)) return noSuchAxis;
  const isLarge = axes?.some((axis) => differ(shape?.[normalAxis(axis, shape.length)], 1)) === true;
  return isLarge ? "it drops an axis that has more than one element" : undefined;
};

const unsqueeze: Demand = (context) => {
  const [rank, axes] = [context.shape(0)?.length, numbersIn(context, 1)];
  const all = rank === undefined || axes === undefined ? undefined : rank + axes.length;
  return areAxes(axes, all) ? undefined : noSuchAxis;
};

const pad: Demand = (context) => {
  if (!isOneOf(context, "mode", "constant reflect edge wrap")) return "its mode is not known";
  const [rank, pads] = [context.shape(0)?.length, numbersIn(context, 1)];
  const axes = isGiven(context, 3) ? numbersIn(context, 3) : undefined;
  if (!areAxes(axes, rank)) return noSuchAxis;
  const count = isGiven(context, 3) ? axes?.length : rank;
  return pads === undefined || count === undefined || pads.length === 2 * count
    ? undefined
    : "its pads are not two for each axis";
};

const slice: Demand = (context) => {
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((input) => numbersIn(context, input));
  if (!areAxes(axes, context.shape(0)?.length)) return noSuchAxis;
  const count = starts?.length ?? 0;
  const isEach = [ends, axes, steps].every((list) => list === undefined || list.length === count);
  return starts === undefined || (isEach && steps?.includes(0) !== true)
    ? undefined
    : "its starts, ends, axes and steps do not belong together";
};

const tile: Demand = (context) => {
  const [rank, repeats] = [context.shape(0)?.length, numbersIn(context, 1)];
  if (rank === undefined || repeats === undefined) return undefined;
  return repeats.length === rank && repeats.every((times) => times >= 0)
    ? undefined
    : "its repeats are not one for each axis";
};

/** Blocks of an image, from channels or to them. */
const blocks: Demand = (context) => {
  const shape = context.shape(0);
  const size = context.attributes.int("blocksize", 0);
  if (size < 1 || !isOneOf(context, "mode", "DCR CRD")) return "its blocks are not known";
  if (shape === undefined) return undefined;
  const [, channels, ...places] = shape;
  const cut = context.node.op === "DepthToSpace" ? [channels] : places;
  const by = context.node.op === "DepthToSpace" ? size * size : size;
  const fits = shape.length === 4 && cut.every((one) => typeof one !== "number" || one % by === 0);
  return fits ? undefined : "its blocks do not fit its input";
};

export const moveDemands = {
  Concat: concat,
  Split: split,
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Pad: pad,
  Slice: slice,
  Tile: tile,
  DepthToSpace: blocks,
  SpaceToDepth: blocks,
  Gather: alongAxis(0),
};
