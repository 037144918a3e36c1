import { attribute, type Attributes, type ValueId } from "../../ir/index.js";
import {
  spaceOf,
  transposedAttributes,
  type Window,
  windowAttributes,
  withChannelsSecond,
} from "../windows.js";
import { activated } from "./activations.js";
import type { LayerTranslation, TranslateLayer } from "./layer-translation.js";
import { paddingWord, upTo } from "./spaces.js";

/** A convolution over some axes, by a kernel of [space…, inputs, filters]. */
const convolution =
  (axes: number): TranslateLayer =>
  (at) => {
    const { value, tensor } = at.find("kernel", axes + 2);
    const kernel = tensor.dims.slice(0, axes);
    const filters = at.transpose(value, [axes + 1, axes, ...upTo(axes)]);
    const group = at.config.number("groups", 1);
    const attributes = moves(at, kernel, axes, group);
    return activated(at, withBias(at, axes, "Conv", filters, attributes));
  };

/** Each channel by filters of its own: [height, width, channels, filters of each]. */
function perChannel(at: LayerTranslation): { readonly filters: ValueId; attributes: Attributes } {
  const { value, tensor } = at.find("depthwise_kernel", 4);
  const [height = 0, width = 0, channels = 0, each = 0] = tensor.dims;
  const turned = at.transpose(value, [2, 3, 0, 1]);
  const filters = at.add("Reshape", [turned, at.integers([channels * each, 1, height, width])]);
  return { filters, attributes: moves(at, [height, width], 2, channels) };
}

const depthwise: TranslateLayer = (at) => {
  // TensorFlow.js takes no notice of it, Keras does: whoever wrote the file, one of them computes something else.
  if (at.config.counts("dilation_rate", 2)?.some((rate) => rate !== 1) === true)
    return at.refuse("it is dilated, which TensorFlow.js leaves out");
  const { filters, attributes } = perChannel(at);
  return activated(at, withBias(at, 2, "Conv", filters, attributes));
};

const separable: TranslateLayer = (at) => {
  const { filters, attributes } = perChannel(at);
  const points = at.transpose(at.weight("pointwise_kernel", 4), [3, 2, 0, 1]);
  const bias = at.config.flag("use_bias", true) ? [at.weight("bias", 1)] : [];
  const made = withChannelsSecond(at, at.input, at.isChannelsLast, 2, (value) =>
    at.add("Conv", [at.add("Conv", [value, filters], attributes), points, ...bias]),
  );
  return activated(at, made);
};

/** By a kernel of [height, width, filters, inputs], to as many places as its steps and windows cover. */
const transposed: TranslateLayer = (at) => {
  const { config } = at;
  const { value, tensor } = at.find("kernel", 4);
  const kernel = tensor.dims.slice(0, 2);
  const window = windowOf(at, 2);
  if (window.dilations.some((rate) => rate !== 1) || config.has("output_padding"))
    return at.refuse("it is dilated or pads what it gives, which TensorFlow.js leaves out");
  const over = kernel.map((taps, axis) => taps - (window.strides[axis] ?? 1));
  if (window.padding !== "SAME" && window.padding !== "VALID")
    return at.refuse("its padding is neither same nor valid");
  const reach = window.padding === "SAME" ? over : over.map((one) => Math.min(0, one));
  const filters = at.transpose(value, [3, 2, 0, 1]);
  const attributes = transposedAttributes(window, kernel, reach);
  return activated(at, withBias(at, 2, "ConvTranspose", filters, attributes));
};

function withBias(
  at: LayerTranslation,
  axes: number,
  op: "Conv" | "ConvTranspose",
  filters: ValueId,
  attributes: Attributes,
): ValueId {
  const bias = at.config.flag("use_bias", true) ? [at.weight("bias", 1)] : [];
  return withChannelsSecond(at, at.input, at.isChannelsLast, axes, (value) =>
    at.add(op, [value, filters, ...bias], attributes),
  );
}

function moves(
  at: LayerTranslation,
  kernel: readonly number[],
  axes: number,
  group: number,
): Attributes {
  const window = windowOf(at, axes);
  const sizes = spaceOf(at, at.input, at.isChannelsLast, axes);
  const [taps = 1] = kernel;
  const [rate = 1] = window.dilations;
  // What is before a place is seen, and nothing behind it.
  const isCausal = window.padding === "CAUSAL" && axes === 1;
  const moved = isCausal
    ? { ...window, padding: "EXPLICIT", explicit: [(taps - 1) * rate, 0] }
    : window;
  return {
    ...windowAttributes(at, moved, kernel, sizes),
    ...(group !== 1 && { group: attribute.int(group) }),
  };
}

function windowOf(at: LayerTranslation, axes: number): Window {
  const { config, isChannelsLast } = at;
  const ones = upTo(axes).map(() => 1);
  return {
    isChannelsLast,
    strides: config.counts("strides", axes) ?? ones,
    dilations: config.counts("dilation_rate", axes) ?? ones,
    padding: paddingWord(at),
    explicit: [],
  };
}

export const convolutionLayers: Readonly<Record<string, TranslateLayer>> = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv2DTranspose: transposed,
  Conv3D: convolution(3),
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
};
