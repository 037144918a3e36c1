import { attribute, type ValueId } from "../../ir/index.js";
import type { Emitter } from "./emitter.js";
import { placed } from "./placement.js";

/** How a kernel moves over the spatial axes; an entry per axis. */
export interface Convolution {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly group: number;
}

export function convolutionAttributes({
  kernel,
  strides,
  dilations,
  before,
  after,
  group,
}: Convolution) {
  return {
    kernel_shape: attribute.ints(kernel),
    strides: attribute.ints(strides),
    dilations: attribute.ints(dilations),
    pads: attribute.ints([...before, ...after]),
    group: attribute.int(group),
  };
}

/**
 * What a convolution's cotangent makes of its input of `dims`: at stride 1 a convolution with the flipped kernel, which
 * engines have their fastest kernels for; else the transposed convolution.
 */
export function dataGradient(
  emit: Emitter,
  cotangent: ValueId,
  weight: ValueId,
  dims: readonly number[],
  convolution: Convolution,
): ValueId {
  const { kernel, strides, dilations, before, after, group } = convolution;
  const [outputs = 1, depth = 1] = emit.shape(weight);
  const reach = kernel.map((size, axis) => (dilations[axis] ?? 1) * (size - 1));
  const fits = reach.every((size, axis) => size >= Math.max(before[axis] ?? 0, after[axis] ?? 0));
  const unit = strides.every((stride) => stride === 1);
  // onnxruntime's transposed convolution on WebGPU gives wrong numbers for depth 1 and several outputs per group;
  // for three axes there is none.
  const isBroken =
    emit.engine === "webgpu" && ((depth === 1 && outputs / group > 1) || kernel.length > 2);
  if (!fits || (!unit && !isBroken)) return transposed(emit, cotangent, weight, dims, convolution);
  const spread = strides.reduce<ValueId>((value, stride, at) => {
    const axis = at + 2;
    const count = emit.shape(value)[axis] ?? 1;
    if (stride === 1) return value;
    const positions = Array.from({ length: count }, (_, i) => i * stride);
    // What the last window leaves over at the end of the input gets zeros.
    const size = (dims[axis] ?? 1) + (before[at] ?? 0) + (after[at] ?? 0) - (reach[at] ?? 0);
    return placed(emit, value, axis, positions, size);
  }, cotangent);
  return emit.node(
    "Conv",
    [spread, flipped(emit, weight, group)],
    convolutionAttributes({
      kernel,
      strides: strides.map(() => 1),
      dilations,
      before: reach.map((size, axis) => size - (before[axis] ?? 0)),
      after: reach.map((size, axis) => size - (after[axis] ?? 0)),
      group,
    }),
  );
}

/** [M, C / group, …kernel] as [C, M / group, …kernel], the kernel backwards. */
function flipped(emit: Emitter, weight: ValueId, group: number): ValueId {
  const [outputs = 1, depth = 1, ...kernel] = emit.shape(weight);
  const axes = [...kernel.keys()].filter((axis) => (kernel[axis] ?? 1) > 1).map((axis) => axis + 2);
  const ends = axes.map(() => -(2 ** 31));
  const back = axes.map(() => -1);
  const turned = axes.length === 0 ? weight : emit.slice(weight, axes, back, ends, back);
  const grouped = emit.reshape(turned, [group, outputs / group, depth, ...kernel]);
  const exchanged = emit.transpose(grouped, [0, 2, 1, ...kernel.map((_, axis) => axis + 3)]);
  return emit.reshape(exchanged, [group * depth, outputs / group, ...kernel]);
}

function transposed(
  emit: Emitter,
  cotangent: ValueId,
  weight: ValueId,
  dims: readonly number[],
  convolution: Convolution,
): ValueId {
  const { kernel, strides, dilations, before, after } = convolution;
  const places = emit.shape(cotangent).slice(2);
  // Positive where the last window ends before the input does, negative where ceil_mode lets it end beyond.
  const rest = kernel.map(
    (size, axis) =>
      (dims[axis + 2] ?? 1) -
      (((places[axis] ?? 1) - 1) * (strides[axis] ?? 1) -
        (before[axis] ?? 0) -
        (after[axis] ?? 0) +
        (dilations[axis] ?? 1) * (size - 1) +
        1),
  );
  return emit.node("ConvTranspose", [cotangent, weight], {
    ...convolutionAttributes({
      ...convolution,
      after: after.map((count, axis) => count + Math.max(0, -(rest[axis] ?? 0))),
    }),
    output_padding: attribute.ints(rest.map((count) => Math.max(0, count))),
  });
}
