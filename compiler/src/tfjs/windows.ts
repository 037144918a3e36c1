import { attribute, type Attributes, type Dim, type ValueId } from "../ir/index.js";
import type { OnnxWriter } from "./onnx-writer.js";

/** How windows move over an input: what lists say of samples and channels is left out. */
export interface Window {
  readonly isChannelsLast: boolean;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: string;
  /** What is padded before each axis, then after each, where the node says it itself. */
  readonly explicit: readonly number[];
}

/**
 * What ONNX is told of a window. SAME pads by what the last window lacks (GetWindowedOutputSize in
 * tensorflow/core/framework/kernel_shape_util.cc): it is said in numbers wherever they are known, since engines differ in
 * what auto_pad means beside dilations and large steps.
 * @param sizes of the input's space
 */
export function windowAttributes(
  at: OnnxWriter,
  { strides, dilations, explicit, padding }: Window,
  kernel: readonly number[],
  sizes: readonly (Dim | undefined)[],
): Attributes {
  const isDilated = dilations.some((dilation) => dilation !== 1);
  const moves: Attributes = {
    kernel_shape: attribute.ints(kernel),
    strides: attribute.ints(strides),
    ...(isDilated && { dilations: attribute.ints(dilations) }),
  };
  if (padding === "VALID") return moves;
  if (padding === "EXPLICIT") return { ...moves, pads: attribute.ints(explicit) };
  if (padding !== "SAME") return at.refuse(`its padding is ${JSON.stringify(padding)}`);
  const totals = kernel.flatMap((taps, axis) => {
    const [stride = 1, dilation = 1, size] = [strides[axis], dilations[axis], sizes[axis]];
    const span = (taps - 1) * dilation + 1;
    if (stride === 1) return [span - 1];
    if (typeof size !== "number") return [];
    return [Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size)];
  });
  if (totals.length === kernel.length) {
    const before = totals.map((total) => total >> 1);
    const after = totals.map((total) => total - (total >> 1));
    return { ...moves, pads: attribute.ints([...before, ...after]) };
  }
  if (isDilated) at.refuse("what its windows are padded by is known only when it runs");
  return { ...moves, auto_pad: attribute.string("SAME_UPPER") };
}

/**
 * What ONNX is told of a transposed convolution.
 * @param over of each axis, by how much all taps reach further than the size that is wanted; less than 0 where they fall short
 */
export function transposedAttributes(
  { strides, dilations }: Window,
  kernel: readonly number[],
  over: readonly number[],
): Attributes {
  const cuts = over.map((one) => Math.max(0, one));
  const before = cuts.map((cut) => cut >> 1);
  return {
    kernel_shape: attribute.ints(kernel),
    strides: attribute.ints(strides),
    dilations: attribute.ints(dilations),
    pads: attribute.ints([...before, ...cuts.map((cut) => cut - (cut >> 1))]),
    output_padding: attribute.ints(over.map((one) => Math.max(0, -one))),
  };
}

/** Does what ONNX does with channels second, wherever they are outside. */
export function withChannelsSecond(
  at: OnnxWriter,
  value: ValueId,
  isChannelsLast: boolean,
  axes: number,
  work: (value: ValueId) => ValueId,
): ValueId {
  if (!isChannelsLast) return work(value);
  const space = Array.from({ length: axes }, (_, axis) => axis);
  const second = at.transpose(value, [0, axes + 1, ...space.map((axis) => axis + 1)]);
  return at.transpose(work(second), [0, ...space.map((axis) => axis + 2), 1]);
}

/** The sizes of a value's space. */
export function spaceOf(
  at: OnnxWriter,
  value: ValueId,
  isChannelsLast: boolean,
  axes: number,
): readonly (Dim | undefined)[] {
  const shape = at.shapeOf(value);
  const first = isChannelsLast ? 1 : 2;
  return Array.from({ length: axes }, (_, axis) => shape?.[first + axis]);
}
