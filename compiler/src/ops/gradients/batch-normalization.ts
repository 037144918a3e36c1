import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import type { Backward } from "./backward.js";
import type { Emitter } from "./emitter.js";

/** Of every axis but the channels'. */
function axesBesides(emit: Emitter, x: ValueId): readonly number[] {
  return [...emit.shape(x).keys()].filter((axis) => axis !== 1);
}

/** A number per channel, to be broadcast over x. */
function perChannel(emit: Emitter, values: ValueId, x: ValueId): ValueId {
  const [, channels = 1, ...places] = emit.shape(x);
  return emit.reshape(values, [1, channels, ...places.map(() => 1)]);
}

/** y = γ · (x − μ) / √(σ² + ε) + β with μ and σ² as they were learned, or of this batch in training mode. */
export function batchNormalization(backward: Backward): readonly (ValueId | null)[] {
  return backward.attributes.int("training_mode", 0) === 0
    ? withFixedStatistics(backward)
    : withOwnStatistics(backward);
}

function withFixedStatistics(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  const [x, scale, dY] = [backward.input(0), backward.input(1), backward.cotangent()];
  const [mean, variance] = [backward.input(3), backward.input(4)];
  const axes = axesBesides(emit, x);
  const inverse = emit.inverseRoot(variance, backward.attributes.float("epsilon", 1e-5));
  const slope = emit.multiply(scale, inverse);
  const dBias = [2, 3].some((index) => backward.needs(index)) ? emit.sum(dY, axes) : null;
  const centred = () => emit.subtract(x, perChannel(emit, mean, x));
  const dScale = [1, 4].some((index) => backward.needs(index))
    ? emit.multiply(inverse, emit.sum(emit.multiply(dY, centred()), axes))
    : null;
  return [
    backward.where(0, () => emit.multiply(dY, perChannel(emit, slope, x))),
    backward.needs(1) ? dScale : null,
    backward.needs(2) ? dBias : null,
    backward.needs(3) && dBias !== null ? emit.negate(emit.multiply(slope, dBias)) : null,
    backward.needs(4) && dScale !== null
      ? emit.scale(emit.multiply(emit.multiply(slope, inverse), dScale), -0.5)
      : null,
  ];
}

/**
 * With M elements per channel: dβ = Σ dY, dγ = (Σ dY · x − μ · dβ) / √(σ² + ε), and dX = a · dY − k · x + c where
 * a = γ / √(σ² + ε), k = a · dγ / √(σ² + ε) / M and c = k · μ − a · dβ / M. The affine part −k · x + c is what the
 * engines' batch normalization computes fastest.
 */
function withOwnStatistics(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  if (!backward.hasCotangent(0)) return [];
  const [x, scale, dY] = [backward.input(0), backward.input(1), backward.cotangent()];
  const axes = axesBesides(emit, x);
  const { mean, variance } = batchStatistics(backward, axes);
  const inverse = emit.inverseRoot(variance, backward.attributes.float("epsilon", 1e-5));
  if (emit.engine === "webgpu") writeOut(backward, mean, variance, inverse);
  const dBias = emit.sum(dY, axes);
  const products = emit.sum(emit.multiply(dY, x), axes);
  const dScale = emit.multiply(inverse, emit.subtract(products, emit.multiply(mean, dBias)));
  const dX = (): ValueId => {
    const [, channels = 1] = emit.shape(x);
    const share = channels / emit.shape(x).reduce((count, size) => count * size, 1);
    const slope = emit.multiply(scale, inverse);
    const k = emit.scale(emit.multiply(emit.multiply(slope, inverse), dScale), share);
    const c = emit.subtract(emit.multiply(k, mean), emit.scale(emit.multiply(slope, dBias), share));
    const fill = (value: number) =>
      emit.floats(new Float64Array(channels).fill(value), [channels], x);
    const affine = emit.node("BatchNormalization", [x, emit.negate(k), c, fill(0), fill(1)], {
      epsilon: attribute.float(0),
    });
    return emit.add(affine, emit.multiply(dY, perChannel(emit, slope, x)));
  };
  return [
    backward.where(0, dX),
    backward.needs(1) ? dScale : null,
    backward.needs(2) ? dBias : null,
    null,
    null,
  ];
}

/** WebGPU has no kernel for training: plain operators take the node's place in the forward pass. */
function writeOut(backward: Backward, mean: ValueId, variance: ValueId, inverse: ValueId): void {
  const { emit, node } = backward;
  const x = backward.input(0);
  const spread = (values: ValueId): ValueId => perChannel(emit, values, x);
  const slope = spread(emit.multiply(backward.input(1), inverse));
  const scaled = emit.multiply(emit.subtract(x, spread(mean)), slope);
  const momentum = backward.attributes.float("momentum", 0.9);
  const blended = (index: number, now: ValueId): ValueId =>
    momentum === 0
      ? now
      : emit.add(emit.scale(backward.input(index), momentum), emit.scale(now, 1 - momentum));
  const instead = [
    emit.add(scaled, spread(backward.input(2))),
    blended(3, mean),
    blended(4, variance),
  ];
  instead.forEach((value, index) => {
    const output = node.outputs[index] ?? null;
    if (output !== null) emit.editor.replace(output, value, "is written out for WebGPU");
  });
}

/** With momentum 0 what the node gives as running statistics are the batch's own; else they are computed again. */
function batchStatistics(
  backward: Backward,
  axes: readonly number[],
): { readonly mean: ValueId; readonly variance: ValueId } {
  const { emit } = backward;
  // An engine refuses the node without them.
  const running = { mean: backward.output(1), variance: backward.output(2) };
  if (backward.attributes.float("momentum", 0.9) === 0 && backward.emit.engine !== "webgpu") {
    ownRunningStatistics(emit, backward);
    return running;
  }
  const x = backward.input(0);
  const mean = emit.mean(x, axes, true);
  const centred = emit.subtract(x, mean);
  const flat = emit.reshape(mean, [emit.shape(x)[1] ?? 1]);
  return { mean: flat, variance: emit.mean(emit.multiply(centred, centred), axes) };
}

/**
 * onnxruntime's kernel for training writes through its inputs of running statistics, and equal initializers are one to
 * it: each node gets its own, which no other constant equals. With momentum 0 it does not matter what they hold.
 */
function ownRunningStatistics(emit: Emitter, backward: Backward): void {
  const { node } = backward;
  for (const index of [3, 4]) {
    const dims = emit.shape(backward.input(index));
    const [count = 1] = dims;
    // Whole numbers up to 2^24 are distinct in float32, and so are their halves.
    const own = new Float32Array(count).fill((node.id % 2 ** 20) + 1 + (index - 3) / 2);
    const tensor = Tensor.float32(dims, own);
    emit.editor.setInput(node.id, index, emit.editor.constant("own_statistic", tensor));
  }
}
