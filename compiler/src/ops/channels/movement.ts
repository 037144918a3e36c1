import { normalAxis } from "../families/indexing.js";
import { permutationOf } from "../families/movement.js";
import { cut } from "../families/slice.js";
import type { Some } from "../schema/cells.js";
import type { concatSplitSchemas } from "../schema/concat-split.js";
import type { gatherSchemas } from "../schema/gather.js";
import type { movementSchemas } from "../schema/movement.js";
import type { randomSchemas } from "../schema/random.js";
import type { scatterSchemas } from "../schema/scatter.js";
import type { sliceSchemas } from "../schema/slice.js";
import { broadcastCouplings } from "./elementwise.js";
import {
  type ChannelNode,
  type Channels,
  coupled,
  type Coupling,
  each,
  type Fit,
  hasOneOutput,
  input,
  type Kept,
  keptSize,
  output,
  type Port,
  tie,
} from "./coupling.js";

const x = input(0);
const y = output(0);

export const movementChannels: Some<typeof movementSchemas, Channels> = {
  Transpose: {
    couplings(node) {
      const rank = node.shape(x)?.length ?? 0;
      const permutation = permutationOf(node.attributes.ints("perm"), rank);
      return permutation.map((from, to) => coupled(each(x, from), each(y, to)));
    },
  },
  Tile: {
    couplings(node) {
      const repeats = node.integers(1);
      return repeats === undefined
        ? []
        : broadcastCouplings(node, [0], (axis) => repeats[axis] === 1);
    },
  },
};

/** Parts that lie one after the other on one axis of the whole; the other axes they have in common. */
function joined(node: ChannelNode, whole: Port, parts: readonly Port[]): readonly Coupling[] {
  const shape = node.shape(whole);
  if (shape === undefined) return [];
  const joint = normalAxis(node.attributes.int("axis", 0), shape.length);
  const others = [...shape.keys()]
    .filter((axis) => axis !== joint)
    .map((axis) => coupled(each(whole, axis), ...parts.map((part) => each(part, axis))));
  let start = 0;
  const ties = [each(whole, joint)];
  for (const part of parts) {
    const size = node.shape(part)?.[joint];
    if (typeof size !== "number") return others;
    const first = start;
    ties.push(tie(part, joint, (place) => first + place));
    start += size;
  }
  return start === shape[joint] ? [...others, coupled(...ties)] : others;
}

const ports = (count: number, of: (index: number) => Port): readonly Port[] =>
  Array.from({ length: count }, (_, index) => of(index));

/** The sizes of the parts, which are no longer even, or no longer what was said. */
function splitFit(node: ChannelNode, kept: Kept): readonly Fit[] {
  const axis = normalAxis(node.attributes.int("axis", 0), node.shape(x)?.length ?? 0);
  if (kept.places(x, axis) === undefined) return [];
  const sizes = ports(node.outputs, output).map((port) => keptSize(node, kept, port, axis));
  if (sizes.some((size) => size === undefined)) return [];
  return [
    { input: 1, integers: sizes.map(Number) },
    { attribute: "num_outputs", value: undefined },
  ];
}

export const concatSplitChannels: { readonly [Name in keyof typeof concatSplitSchemas]: Channels } =
  {
    Concat: { couplings: (node) => joined(node, y, ports(node.inputs, input)) },
    Split: {
      couplings: (node) => joined(node, x, ports(node.outputs, output)),
      fit: splitFit,
    },
  };

interface SlicedAxis {
  readonly index: number;
  readonly axis: number;
  readonly start: number;
  readonly count: number;
}

/** The axes that a Slice cuts, step by step of 1; undefined where something is computed, or steps are larger. */
function slicedAxes(node: ChannelNode): readonly SlicedAxis[] | undefined {
  const shape = node.shape(x);
  const [starts, ends] = [node.integers(1), node.integers(2)];
  const [hasAxes, hasSteps] = [3, 4].map((index) => node.shape(input(index)) !== undefined);
  const axes = hasAxes === true ? node.integers(3) : [...(starts ?? []).keys()];
  const steps = hasSteps === true ? node.integers(4) : starts?.map(() => 1);
  if (shape === undefined || starts === undefined || ends === undefined) return undefined;
  if (axes === undefined || steps === undefined) return undefined;
  const found: SlicedAxis[] = [];
  for (const [index, given] of axes.entries()) {
    const axis = normalAxis(given, shape.length);
    const size = shape[axis] ?? 0;
    const { start, count } = cut(
      axis,
      size,
      starts[index] ?? 0,
      ends[index] ?? 0,
      steps[index] ?? 1,
    );
    const isPlain = steps[index] === 1 && typeof start === "number" && typeof count === "number";
    found.push({ index, axis, start: isPlain ? start : -1, count: isPlain ? count : -1 });
  }
  return found;
}

const slice: Channels = {
  couplings(node) {
    const shape = node.shape(x);
    const cuts = slicedAxes(node);
    if (shape === undefined || cuts === undefined) return [];
    return [...shape.keys()].flatMap((axis) => {
      const found = cuts.find((one) => one.axis === axis);
      if (found === undefined) return [coupled(each(x, axis), each(y, axis))];
      const { start } = found;
      return start < 0
        ? []
        : [
            coupled(
              each(x, axis),
              tie(y, axis, (place) => start + place),
            ),
          ];
    });
  },
  fit(node, kept) {
    const cuts = slicedAxes(node) ?? [];
    const starts = [...(node.integers(1) ?? [])];
    const ends = [...(node.integers(2) ?? [])];
    for (const { index, axis, start, count } of cuts) {
      const places = kept.places(x, axis);
      if (places === undefined || start < 0) continue;
      starts[index] = places.filter((place) => place < start).length;
      ends[index] = places.filter((place) => place < start + count).length;
    }
    return [
      { input: 1, integers: starts },
      { input: 2, integers: ends },
    ].filter((one) => one.integers.some((value, at) => value !== node.integers(one.input)?.[at]));
  },
};

export const sliceChannels: { readonly [Name in keyof typeof sliceSchemas]: Channels } = {
  Slice: slice,
};

/** By indices that are known, of rank 0 or 1: rows that are looked up by data keep all there are. */
function gatherIndices(node: ChannelNode, size: number): readonly number[] | undefined {
  const rank = node.shape(input(1))?.length;
  if (rank === undefined || rank > 1) return undefined;
  const indices = node.integers(1)?.map((index) => (index < 0 ? index + size : index));
  return indices?.every((index) => index >= 0 && index < size) === true ? indices : undefined;
}

const gather: Channels = {
  couplings(node) {
    const [shape, indexShape] = [node.shape(x), node.shape(input(1))];
    if (shape === undefined || indexShape === undefined) return [];
    const axis = normalAxis(node.attributes.int("axis", 0), shape.length);
    const added = indexShape.length - 1;
    const others = [...shape.keys()]
      .filter((at) => at !== axis)
      .map((at) => coupled(each(x, at), each(y, at < axis ? at : at + added)));
    const size = shape[axis];
    const indices = typeof size === "number" ? gatherIndices(node, size) : undefined;
    if (indices === undefined) {
      // Positions within a row of the result, by the indices' own axes.
      const own = [...indexShape.keys()].map((at) =>
        coupled(each(input(1), at), each(y, axis + at)),
      );
      return [...others, ...own];
    }
    if (indexShape.length === 0) {
      // The one that is taken has no axis any more; the others are not read.
      const taken = indices[0];
      return [...others, coupled(tie(x, axis, (place) => (place === taken ? -1 : place)))];
    }
    const from = (place: number): number => indices[place] ?? -1;
    return [...others, coupled(each(x, axis), tie(y, axis, from))];
  },
  fit(node, kept) {
    const shape = node.shape(x) ?? [];
    const axis = normalAxis(node.attributes.int("axis", 0), shape.length);
    const size = shape[axis];
    const places = kept.places(x, axis);
    if (places === undefined || typeof size !== "number") return [];
    const indices = gatherIndices(node, size) ?? [];
    const rank = new Map(places.map((place, at) => [place, at]));
    const integers = indices.flatMap((index) => rank.get(index) ?? []);
    return [{ input: 1, integers }];
  },
};

/** By an element's own index on one axis: on the others it stays where it is, where all there are have an index. */
function byElement(node: ChannelNode, tensors: readonly Port[]): readonly Coupling[] {
  const shapes = tensors.map((port) => node.shape(port));
  const [first] = shapes;
  if (first === undefined) return [];
  const along = normalAxis(node.attributes.int("axis", 0), first.length);
  return [...first.keys()]
    .filter((axis) => axis !== along && shapes.every((shape) => shape?.[axis] === first[axis]))
    .map((axis) => coupled(...tensors.map((port) => each(port, axis))));
}

/** Rows that stand at positions of their first axes: what a row is of lies behind them in `rows`, and in both wholes. */
function byRow(node: ChannelNode, wholes: readonly Port[], rows: Port): readonly Coupling[] {
  const [whole, positions] = [node.shape(x), node.shape(input(1))];
  const depth = positions?.at(-1);
  if (whole === undefined || positions === undefined || typeof depth !== "number") return [];
  if (node.attributes.int("batch_dims", 0) !== 0) return [];
  return [...whole.keys()]
    .slice(depth)
    .map((axis) =>
      coupled(
        ...wholes.map((port) => each(port, axis)),
        each(rows, positions.length - 1 + axis - depth),
      ),
    );
}

export const gatherChannels: Some<typeof gatherSchemas, Channels> = {
  Gather: gather,
  GatherElements: { couplings: (node) => byElement(node, [x, input(1), y]) },
  GatherND: { couplings: (node) => byRow(node, [x], y) },
};

const scatterElements: Channels = {
  couplings: (node) => byElement(node, [x, input(1), input(2), y]),
};

export const scatterChannels: Some<typeof scatterSchemas, Channels> = {
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: { couplings: (node) => byRow(node, [x, y], input(2)) },
};

export const randomChannels: Some<typeof randomSchemas, Channels> = {
  Dropout: { couplings: (node) => (hasOneOutput(node) ? broadcastCouplings(node, [0]) : []) },
};
