import { elementCount } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { normalizationSchemas } from "../schema/normalization.js";
import { backAlong } from "./along-axis.js";
import type { Backward } from "./backward.js";
import { batchNormalization } from "./batch-normalization.js";
import { unbroadcast } from "./broadcast.js";
import type { Emitter } from "./emitter.js";
import type { Gradient } from "./gradient.js";

/** Of x̂ = (x − mean) · inverse over the axes, g being its cotangent: inverse · (g − mean(g) − x̂ · mean(g · x̂)). */
function standardized(
  emit: Emitter,
  g: ValueId,
  unit: ValueId,
  inverse: ValueId,
  axes: readonly number[],
): ValueId {
  const along = emit.mean(emit.multiply(g, unit), axes, true);
  const centred = emit.subtract(g, emit.mean(g, axes, true));
  return emit.multiply(inverse, emit.subtract(centred, emit.multiply(unit, along)));
}

/** Mean and 1 / √(σ² + ε) are outputs of the node itself. */
function layerNormalization(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  if ([1, 2].some((index) => backward.hasCotangent(index)))
    throw backward.unsupported("the loss depends on its mean or its deviation");
  const [x, scale, dY] = [backward.input(0), backward.input(1), backward.cotangent()];
  const rank = emit.shape(x).length;
  const from = normalAxis(backward.attributes.int("axis", -1), rank);
  const axes = Array.from({ length: rank - from }, (_, at) => from + at);
  const unit = () => {
    const centred = emit.subtract(x, emit.cast(backward.output(1), emit.dtype(x)));
    return emit.multiply(centred, emit.cast(backward.output(2), emit.dtype(x)));
  };
  const normalized = backward.needs(0) || backward.needs(1) ? unit() : x;
  return [
    backward.where(0, () => {
      const inverse = emit.cast(backward.output(2), emit.dtype(x));
      return standardized(emit, emit.multiply(dY, scale), normalized, inverse, axes);
    }),
    backward.where(1, () => unbroadcast(emit, emit.multiply(dY, normalized), backward.dims(1))),
    backward.where(2, () => unbroadcast(emit, dY, backward.dims(2))),
  ];
}

/** Each sample's channels are brought to mean 0 and variance 1 in groups, then scaled by channel. */
function groupNormalization(backward: Backward, groups: number): readonly (ValueId | null)[] {
  const { emit } = backward;
  const [x, scale, dY] = [backward.input(0), backward.input(1), backward.cotangent()];
  const dims = backward.dims(0);
  const [batch = 1, channels = 1, ...places] = dims;
  const grouped = (value: ValueId) =>
    emit.reshape(value, [batch, groups, elementCount(dims) / batch / groups]);
  const statistics = grouped(x);
  const mean = emit.mean(statistics, [2], true);
  const centred = emit.subtract(statistics, mean);
  const variance = emit.mean(emit.multiply(centred, centred), [2], true);
  const inverse = emit.inverseRoot(variance, backward.attributes.float("epsilon", 1e-5));
  const unit = emit.multiply(centred, inverse);
  const axes = [...dims.keys()].filter((axis) => axis !== 1);
  const byChannel = emit.reshape(scale, [1, channels, ...places.map(() => 1)]);
  return [
    backward.where(0, () => {
      const g = grouped(emit.multiply(dY, byChannel));
      return emit.reshape(standardized(emit, g, unit, inverse, [2]), dims);
    }),
    backward.where(1, () => emit.sum(emit.multiply(dY, emit.reshape(unit, dims)), axes)),
    backward.where(2, () => emit.sum(dY, axes)),
  ];
}

/** y = x · b^−β with b = bias + α / size · Σ x² of neighbouring channels. */
function localResponse(backward: Backward): readonly ValueId[] {
  const { emit, attributes } = backward;
  const [x, y, dY] = [backward.input(0), backward.output(0), backward.cotangent()];
  const [, channels = 1] = backward.dims(0);
  const size = attributes.int("size", 1);
  const share = attributes.float("alpha", 1e-4) / size;
  const beta = attributes.float("beta", 0.75);
  const [down, up] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const band = (below: number, above: number) =>
    Array.from({ length: channels }, (_, channel) => {
      const first = Math.max(0, channel - below);
      const count = Math.min(channels - 1, channel + above) - first + 1;
      return Array.from({ length: count }, (_, at) => ({ index: first + at, weight: 1 }));
    });
  const sum = (value: ValueId, below: number, above: number) =>
    backAlong(backward, value, 1, band(below, above), channels);
  // Going back along the mirrored band is going forward along the band.
  const squares = sum(emit.multiply(x, x), up, down);
  const base = emit.shift(emit.scale(squares, share), attributes.float("bias", 1));
  const direct = emit.multiply(dY, emit.node("Pow", [base, emit.scalar(-beta, base)]));
  const around = sum(emit.divide(emit.multiply(dY, y), base), down, up);
  return [emit.subtract(direct, emit.scale(emit.multiply(x, around), 2 * share * beta))];
}

/**
 * y = x / n: (dY − s · Σ dY · y) / n, where s is y for the norm of squares and x's sign for that of amounts; 0 where the
 * norm is, as y is there.
 */
function unitNorm(backward: Backward): readonly ValueId[] {
  const { emit, attributes } = backward;
  const [x, y, dY] = [backward.input(0), backward.output(0), backward.cotangent()];
  const axes = [normalAxis(attributes.int("axis", -1), backward.dims(0).length)];
  const isSquare = attributes.int("p", 2) === 2;
  const op = isSquare ? "ReduceL2" : "ReduceL1";
  const norm = emit.node(op, [x, emit.integers(axes)]);
  const along = emit.sum(emit.multiply(dY, y), axes, true);
  const slope = isSquare ? y : emit.sign(x);
  const isZero = emit.compare("Equal", norm, 0);
  const divisor = emit.where(isZero, emit.scalar(1, norm), norm);
  const gradient = emit.divide(emit.subtract(dY, emit.multiply(slope, along)), divisor);
  return [emit.where(isZero, emit.scalar(0, norm), gradient)];
}

export const normalizationGradients: Some<typeof normalizationSchemas, Gradient> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: (backward) => groupNormalization(backward, backward.dims(0)[1] ?? 1),
  GroupNormalization: (backward) =>
    groupNormalization(backward, backward.attributes.int("num_groups", 1)),
  LRN: localResponse,
  LpNormalization: unitNorm,
};
