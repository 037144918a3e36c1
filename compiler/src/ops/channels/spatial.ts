import { byAxis } from "../families/pad.js";
import { normalAxis } from "../families/indexing.js";
import { isNoReduction, keepsAxes } from "../families/reduction.js";
import type { depthSpaceSchemas } from "../schema/depth-space.js";
import type { padSchemas } from "../schema/pad.js";
import type { poolingSchemas } from "../schema/pooling.js";
import type { reductionSchemas } from "../schema/reduction.js";
import type { resizeSchemas } from "../schema/resize.js";
import { broadcastCouplings } from "./elementwise.js";
import {
  blocks,
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
  periodic,
  summed,
  tie,
} from "./coupling.js";

const x = input(0);
const y = output(0);

/** Batch and channels stay; the spatial axes are pooled. Places of maxima are counted over all channels. */
const pool: Channels = {
  couplings: (node) =>
    hasOneOutput(node) ? [0, 1].map((axis) => coupled(each(x, axis), each(y, axis))) : [],
};

export const poolingChannels: { readonly [Name in keyof typeof poolingSchemas]: Channels } = {
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: pool,
  GlobalMaxPool: pool,
};

/** The axes that are reduced; undefined where they are computed. */
function reducedAxes(node: ChannelNode, rank: number): readonly number[] | undefined {
  const axes = node.integers(1);
  if (axes === undefined && node.shape(input(1)) !== undefined) return undefined;
  const none = isNoReduction(node.attributes);
  if (axes === undefined || axes.length === 0)
    return none ? [] : Array.from({ length: rank }, (_, axis) => axis);
  return axes.map((axis) => normalAxis(axis, rank));
}

/** @param adds nothing is added by a channel of zeros */
function reduction(adds: boolean): Channels {
  return {
    couplings(node) {
      const shape = node.shape(x);
      const reduced = shape && reducedAxes(node, shape.length);
      if (shape === undefined || reduced === undefined) return [];
      const keeps = keepsAxes(node.attributes);
      const found: Coupling[] = [];
      let at = 0;
      for (const axis of shape.keys()) {
        const isReduced = reduced.includes(axis);
        if (!isReduced) found.push(coupled(each(x, axis), each(y, at)));
        else if (adds) found.push(coupled(summed(each(x, axis))));
        if (!isReduced || keeps) at += 1;
      }
      return found;
    },
  };
}

export const reductionChannels: { readonly [Name in keyof typeof reductionSchemas]: Channels } = {
  ReduceSum: reduction(true),
  ReduceSumSquare: reduction(true),
  ReduceL1: reduction(true),
  ReduceL2: reduction(true),
  ReduceMean: reduction(false),
  ReduceProd: reduction(false),
  ReduceMax: reduction(false),
  ReduceMin: reduction(false),
  ReduceLogSum: reduction(true),
  ReduceLogSumExp: reduction(false),
};

/** The pads of each axis; none where they are computed. */
function padsOf(node: ChannelNode): readonly { axis: number; before: number; after: number }[] {
  const shape = node.shape(x);
  const pads = node.integers(1);
  const hasAxes = node.shape(input(3)) !== undefined;
  const axes = hasAxes ? node.integers(3) : [...(shape ?? []).keys()];
  if (shape === undefined || pads === undefined || axes === undefined) return [];
  const given = byAxis(pads, axes, shape.length);
  return [...shape.keys()].map((axis) => {
    const found = given.find((pad) => pad.axis === axis);
    return { axis, before: Number(found?.before ?? 0), after: Number(found?.after ?? 0) };
  });
}

/**
 * A padded place is a channel of its own, which is cut by padding less. Reflected ones would belong to several: an axis
 * that is padded so does not pass.
 */
const pad: Channels = {
  couplings(node) {
    const isConstant = node.attributes.string("mode", "constant") === "constant";
    return padsOf(node).flatMap(({ axis, before, after }) => {
      const size = node.shape(x)?.[axis];
      if (before === 0 && after === 0) return [coupled(each(x, axis), each(y, axis))];
      if (!isConstant || typeof size !== "number" || before < 0 || after < 0) return [];
      const channelOf = (place: number): number =>
        place >= before && place < before + size ? place - before : size + place;
      return [coupled(each(x, axis), tie(y, axis, channelOf))];
    });
  },
  fit(node, kept) {
    const pads = [...(node.integers(1) ?? [])];
    const listed = node.shape(input(3)) === undefined ? undefined : node.integers(3);
    const rank = node.shape(x)?.length ?? 0;
    let changed = false;
    for (const { axis, before } of padsOf(node)) {
      const [places, size] = [kept.places(y, axis), node.shape(x)?.[axis]];
      if (places === undefined || typeof size !== "number") continue;
      const at = (listed?.map((one) => normalAxis(one, rank)) ?? [...Array(rank).keys()]).indexOf(
        axis,
      );
      if (at < 0) continue;
      pads[at] = places.filter((place) => place < before).length;
      pads[at + pads.length / 2] = places.filter((place) => place >= before + size).length;
      changed = true;
    }
    return changed ? [{ input: 1, integers: pads }] : [];
  },
};

export const padChannels: { readonly [Name in keyof typeof padSchemas]: Channels } = { Pad: pad };

/** An axis that is not resized passes. */
const resize: Channels = {
  couplings(node) {
    const shape = node.shape(x);
    if (shape === undefined) return [];
    if (node.attributes.string("coordinate_transformation_mode", "") === "tf_crop_and_resize")
      return [];
    const listed = node.attributes.ints("axes")?.map((axis) => normalAxis(axis, shape.length));
    const axes = listed ?? [...shape.keys()];
    const [scales, sizes] = [node.numbers(2) ?? [], node.integers(3)];
    return broadcastCouplings(node, [0], (axis) => {
      const at = axes.indexOf(axis);
      if (at < 0) return true;
      return sizes === undefined ? scales[at] === 1 : sizes[at] === shape[axis];
    });
  },
  fit(node, kept) {
    const sizes = node.integers(3);
    if (sizes === undefined) return [];
    const rank = node.shape(x)?.length ?? 0;
    const listed = node.attributes.ints("axes")?.map((axis) => normalAxis(axis, rank));
    return sizesFit(3, sizes, node, kept, listed ?? [...sizes.keys()]);
  },
};

/**
 * Integers that say the sizes of the result's axes, as they are after a cut.
 * @param sizes what an input says, or what it comes to
 */
export function sizesFit(
  at: number,
  sizes: readonly number[],
  node: ChannelNode,
  kept: Kept,
  axes: readonly number[],
): readonly Fit[] {
  const integers = sizes.map((size, index) => {
    const axis = axes[index] ?? 0;
    if (kept.places(y, axis) === undefined) return size;
    const now = keptSize(node, kept, y, axis) ?? size;
    // A size of 1 that is broadcast and one that is left open stay what they are.
    return size === node.shape(y)?.[axis] ? now : size;
  });
  const said = node.integers(at);
  return integers.every((size, index) => size === said?.[index]) ? [] : [{ input: at, integers }];
}

export const resizeChannels: { readonly [Name in keyof typeof resizeSchemas]: Channels } = {
  Resize: resize,
  GridSample: {
    couplings: (node) => broadcastCouplings(node, [0], (axis) => axis === 1),
  },
};

/** A block of b × b places and the channels: [b, b, channels], or [channels, b, b] in mode CRD. */
export const depthSpaceChannels: { readonly [Name in keyof typeof depthSpaceSchemas]: Channels } = {
  DepthToSpace: {
    couplings(node) {
      const [batch, channels] = [coupled(each(x, 0), each(y, 0)), node.shape(y)?.[1]];
      const size = node.attributes.int("blocksize", 1) ** 2;
      if (typeof channels !== "number") return [batch];
      const from =
        node.attributes.string("mode", "DCR") === "CRD"
          ? blocks(x, 1, size)
          : periodic(x, 1, channels);
      return [batch, coupled(from, each(y, 1))];
    },
  },
  SpaceToDepth: {
    couplings(node) {
      const [batch, channels] = [coupled(each(x, 0), each(y, 0)), node.shape(x)?.[1]];
      if (typeof channels !== "number") return [batch];
      return [batch, coupled(each(x, 1), periodic(y, 1, channels))];
    },
  },
};
