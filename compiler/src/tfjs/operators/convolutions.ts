import { attribute, type ValueId } from "../../ir/index.js";
import type { Translate, Translation } from "../translation.js";
import { spaceOf, transposedAttributes, windowAttributes, withChannelsSecond } from "../windows.js";
import { fusedOf } from "./fused.js";
import { windowOf } from "./window.js";

/** A convolution over some axes, by filters of [space…, inputs, outputs]. */
const convolution =
  (axes: number): Translate =>
  (at) => {
    const filter = at.input(1);
    const weights = at.transpose(filter, [axes + 1, axes, ...spaceAxes(axes)]);
    const inputs = at.shapeOf(at.input(0))?.[windowOf(at, axes).isChannelsLast ? axes + 1 : 1];
    const own = at.shapeOf(filter)?.[axes];
    const isGrouped = typeof inputs === "number" && typeof own === "number" && own > 0;
    return convolve(at, axes, weights, isGrouped ? inputs / own : 1);
  };

/** Each channel by filters of its own: [height, width, channels, filters of each]. */
const depthwise: Translate = (at) => {
  const [height, width, channels, each] = at.shapeOf(at.input(1)) ?? [];
  if (typeof channels !== "number" || typeof each !== "number")
    return at.refuse("how many filters it has is known only when it runs");
  const space = [height, width].map((size) => (typeof size === "number" ? size : -1));
  const perChannel = at.transpose(at.input(1), [2, 3, 0, 1]);
  const weights = at.add("Reshape", [perChannel, at.integers([channels * each, 1, ...space])]);
  return convolve(at, 2, weights, channels);
};

function convolve(at: Translation, axes: number, weights: ValueId, group: number): ValueId {
  const window = windowOf(at, axes);
  const { isChannelsLast } = window;
  const sizes = spaceOf(at, at.input(0), isChannelsLast, axes);
  const attributes = {
    ...windowAttributes(at, window, kernelOf(at, axes), sizes),
    ...(group !== 1 && { group: attribute.int(group) }),
  };
  const { bias, after } = fusedOf(at, 2);
  // A bias of other sizes is added by the rules of broadcasting, where channels are as TensorFlow has them.
  const isOfChannels = bias !== undefined && at.rankOf(bias) === 1;
  const made = withChannelsSecond(at, at.input(0), isChannelsLast, axes, (value) =>
    at.add("Conv", [value, weights, ...(isOfChannels ? [bias] : [])], attributes),
  );
  return after(bias === undefined || isOfChannels ? made : at.add("Add", [made, bias]));
}

/** What TensorFlow calls the gradient of a convolution by its input: of sizes, a filter, and what is spread. */
const transposed: Translate = (at) => {
  const input = at.input(2);
  const window = windowOf(at, 2);
  const { isChannelsLast, padding } = window;
  if (padding !== "SAME" && padding !== "VALID") at.refuse(`its padding is ${padding}`);
  const kernel = kernelOf(at, 2);
  const wanted = at.knownSizes(0)?.slice(isChannelsLast ? 1 : 2);
  const sizes = spaceOf(at, input, isChannelsLast, 2);
  const over = kernel.map((taps, axis) => {
    const [stride = 1, dilation = 1] = [window.strides[axis], window.dilations[axis]];
    const [from, to] = [sizes[axis], wanted?.[axis]];
    const span = (taps - 1) * dilation + 1;
    // Where the size that is wanted is free, as for one of whole steps.
    if (typeof from !== "number" || typeof to !== "number")
      return padding === "SAME" ? span - stride : Math.min(0, span - stride);
    return (from - 1) * stride + span - to;
  });
  if (padding === "VALID" && over.some((one) => one > 0))
    at.refuse("it asks for less than its windows cover");
  const weights = at.transpose(at.input(1), [3, 2, 0, 1]);
  const attributes = transposedAttributes(window, kernel, over);
  return withChannelsSecond(at, input, isChannelsLast, 2, (value) =>
    at.add("ConvTranspose", [value, weights], attributes),
  );
};

function kernelOf(at: Translation, axes: number): readonly number[] {
  const sizes = at.shapeOf(at.input(1))?.slice(0, axes) ?? [];
  const known = sizes.filter((size) => typeof size === "number");
  return known.length === axes ? known : at.refuse("the size of its filter is not known");
}

function spaceAxes(axes: number): readonly number[] {
  return Array.from({ length: axes }, (_, axis) => axis);
}

export const convolutions: Readonly<Record<string, Translate>> = {
  Conv2D: convolution(2),
  Conv2DBackpropInput: transposed,
  Conv3D: convolution(3),
  DepthwiseConv2d: depthwise,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  _FusedConv2D: convolution(2),
};
