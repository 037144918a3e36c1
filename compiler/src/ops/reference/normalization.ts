import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { broadcastIndices, normalAxis } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { normalizationSchemas } from "../schema/normalization.js";
import type { Evaluation } from "./evaluation.js";

/** Of each group. */
interface Statistics<Numbers> {
  readonly mean: Numbers;
  readonly variance: Numbers;
}

/** Mean and variance of each group of elements, all groups of one size. */
function statistics(
  x: ArrayLike<number>,
  groupOf: (index: number) => number,
  groups: number,
  size: number,
): Statistics<Float64Array> {
  const mean = new Float64Array(groups);
  const variance = new Float64Array(groups);
  for (let i = 0; i < x.length; i += 1)
    mean[groupOf(i)] = (mean[groupOf(i)] ?? 0) + (x[i] ?? 0) / size;
  for (let i = 0; i < x.length; i += 1) {
    const group = groupOf(i);
    variance[group] = (variance[group] ?? 0) + ((x[i] ?? 0) - (mean[group] ?? 0)) ** 2 / size;
  }
  return { mean, variance };
}

/** By channels. */
interface Affine {
  readonly scale: ArrayLike<number> | undefined;
  readonly bias: ArrayLike<number> | undefined;
  readonly channelOf: (index: number) => number;
}

function normalized(
  x: ArrayLike<number>,
  groupOf: (index: number) => number,
  { mean, variance }: Statistics<ArrayLike<number> | undefined>,
  epsilon: number,
  { scale, bias, channelOf }: Affine,
): Float64Array {
  return Float64Array.from({ length: x.length }, (_, i) => {
    const group = groupOf(i);
    const unit =
      ((x[i] ?? 0) - (mean?.[group] ?? 0)) / Math.sqrt((variance?.[group] ?? 1) + epsilon);
    return unit * (scale?.[channelOf(i)] ?? 1) + (bias?.[channelOf(i)] ?? 0);
  });
}

export const normalizationReferences: Some<typeof normalizationSchemas, Evaluation> = {
  /** y = scale · (x − mean) / √(variance + ε) + bias, with the statistics of training. */
  BatchNormalization({ input, attributes }) {
    const x = input(0);
    const from = unpackNumbers(x);
    const [scale, bias, givenMean, givenVariance] = [1, 2, 3, 4].map((index) =>
      unpackNumbers(input(index)),
    );
    const [batch = 1, channels = 1] = x.dims;
    const plane = elementCount(x.dims.slice(2));
    const channelOf = (i: number) => Math.floor(i / plane) % channels;
    const affine = { scale, bias, channelOf };
    const epsilon = attributes.float("epsilon", 1e-5);
    if (attributes.int("training_mode", 0) === 0) {
      return [
        denseOf(
          x.type,
          x.dims,
          normalized(
            from,
            channelOf,
            { mean: givenMean, variance: givenVariance },
            epsilon,
            affine,
          ),
        ),
      ];
    }
    const momentum = attributes.float("momentum", 0.9);
    const own = statistics(from, channelOf, channels, batch * plane);
    const blend = (old: ArrayLike<number> | undefined, now: Float64Array) =>
      now.map((value, i) => (old?.[i] ?? 0) * momentum + value * (1 - momentum));
    return [
      denseOf(x.type, x.dims, normalized(from, channelOf, own, epsilon, affine)),
      denseOf(input(3).type, [channels], blend(givenMean, own.mean)),
      denseOf(input(4).type, [channels], blend(givenVariance, own.variance)),
    ];
  },
  /** The axes from `axis` on are brought to mean 0 and variance 1, then scaled. */
  LayerNormalization({ input, inputs, attributes }) {
    const x = input(0);
    const axis = normalAxis(attributes.int("axis", -1), x.dims.length);
    const inner = x.dims.slice(axis);
    const size = elementCount(inner);
    const from = unpackNumbers(x);
    const groups = elementCount(x.dims.slice(0, axis));
    const groupOf = (i: number) => Math.floor(i / size);
    const epsilon = attributes.float("epsilon", 1e-5);
    const own = statistics(from, groupOf, groups, size);
    const bias = inputs[2] ?? undefined;
    // A scale may differ between groups, too: it is broadcast to all of x then.
    const isOfRows = [input(1), bias].every((tensor) => (tensor?.dims.length ?? 0) <= inner.length);
    const spread = (tensor: Dense) => {
      const values = unpackNumbers(tensor);
      const places = broadcastIndices(tensor.dims, isOfRows ? inner : x.dims);
      return Float64Array.from(places, (at) => values[at] ?? 0);
    };
    const y = normalized(from, groupOf, own, epsilon, {
      scale: spread(input(1)),
      bias: bias && spread(bias),
      channelOf: (i) => (isOfRows ? i % size : i),
    });
    const kept = x.dims.map((dim, at) => (at < axis ? dim : 1));
    const type = attributes.int("stash_type", 1) === 1 ? "float32" : x.type;
    return [
      denseOf(x.type, x.dims, y),
      denseOf(type, kept, own.mean),
      denseOf(
        type,
        kept,
        own.variance.map((value) => 1 / Math.sqrt(value + epsilon)),
      ),
    ];
  },
  InstanceNormalization({ input, attributes }) {
    const x = input(0);
    const [batch = 1, channels = 1] = x.dims;
    const plane = elementCount(x.dims.slice(2));
    const groupOf = (i: number) => Math.floor(i / plane);
    const from = unpackNumbers(x);
    const own = statistics(from, groupOf, batch * channels, plane);
    const y = normalized(from, groupOf, own, attributes.float("epsilon", 1e-5), {
      scale: unpackNumbers(input(1)),
      bias: unpackNumbers(input(2)),
      channelOf: (i) => groupOf(i) % channels,
    });
    return [denseOf(x.type, x.dims, y)];
  },
  GroupNormalization({ input, attributes }) {
    const x = input(0);
    const [batch = 1, channels = 1] = x.dims;
    const plane = elementCount(x.dims.slice(2));
    const groups = attributes.int("num_groups", 1);
    const size = (channels / groups) * plane;
    const groupOf = (i: number) => Math.floor(i / size);
    const from = unpackNumbers(x);
    const scale = unpackNumbers(input(1));
    const channelOf = (i: number) => Math.floor(i / plane) % channels;
    // Up to opset 20 scale and bias were per group.
    const scaleOf = scale.length === channels ? channelOf : (i: number) => groupOf(i) % groups;
    const own = statistics(from, groupOf, batch * groups, size);
    const y = normalized(from, groupOf, own, attributes.float("epsilon", 1e-5), {
      scale,
      bias: unpackNumbers(input(2)),
      channelOf: scaleOf,
    });
    return [denseOf(x.type, x.dims, y)];
  },
  /** y = x / (bias + alpha / size · Σ x² over `size` neighbouring channels) ^ beta. */
  LRN({ input, attributes }) {
    const x = input(0);
    const from = unpackNumbers(x);
    const [, channels = 1] = x.dims;
    const plane = elementCount(x.dims.slice(2));
    const size = attributes.int("size", 1);
    const [alpha, beta, bias] = [
      attributes.float("alpha", 1e-4),
      attributes.float("beta", 0.75),
      attributes.float("bias", 1),
    ];
    const y = Float64Array.from({ length: from.length }, (_, i) => {
      const channel = Math.floor(i / plane) % channels;
      const first = Math.max(0, channel - Math.floor((size - 1) / 2));
      const last = Math.min(channels - 1, channel + Math.ceil((size - 1) / 2));
      let sum = 0;
      for (let c = first; c <= last; c += 1) sum += (from[i + (c - channel) * plane] ?? 0) ** 2;
      return (from[i] ?? 0) / (bias + (alpha / size) * sum) ** beta;
    });
    return [denseOf(x.type, x.dims, y)];
  },
  /** x over its 1- or 2-norm along an axis; 0 where the norm is. */
  LpNormalization({ input, attributes }) {
    const x = input(0);
    const from = unpackNumbers(x);
    const axis = normalAxis(attributes.int("axis", -1), x.dims.length);
    const p = attributes.int("p", 2);
    const inner = elementCount(x.dims.slice(axis + 1));
    const size = x.dims[axis] ?? 1;
    const lineOf = (i: number) => Math.floor(i / (inner * size)) * inner + (i % inner);
    const norms = new Float64Array(from.length / size);
    for (let i = 0; i < from.length; i += 1)
      norms[lineOf(i)] = (norms[lineOf(i)] ?? 0) + Math.abs(from[i] ?? 0) ** p;
    const y = Float64Array.from({ length: from.length }, (_, i) => {
      const norm = (norms[lineOf(i)] ?? 0) ** (1 / p);
      return norm === 0 ? 0 : (from[i] ?? 0) / norm;
    });
    return [denseOf(x.type, x.dims, y)];
  },
};
