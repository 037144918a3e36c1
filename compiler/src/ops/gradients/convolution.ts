import type { ValueId } from "../../ir/index.js";
import { transposedAxes } from "../families/convolution.js";
import { windowAxes } from "../families/window.js";
import type { Some } from "../schema/cells.js";
import type { convolutionSchemas } from "../schema/convolution.js";
import type { Backward } from "./backward.js";
import { type Convolution, convolutionAttributes, dataGradient } from "./convolution-data.js";
import { weightGradient } from "./convolution-weight.js";
import type { Gradient } from "./gradient.js";

/** Of a bias per channel: the cotangent summed over all else. */
function biasGradient(backward: Backward): ValueId {
  const dY = backward.cotangent();
  const axes = [...backward.emit.shape(dY).keys()].filter((axis) => axis !== 1);
  return backward.emit.sum(dY, axes);
}

function convolution(backward: Backward): readonly (ValueId | null)[] {
  const { emit, attributes } = backward;
  const [x, weight, dY] = [backward.input(0), backward.input(1), backward.cotangent()];
  const kernel = backward.dims(1).slice(2);
  const axes = windowAxes(backward.dims(0).slice(2), kernel, attributes);
  const moved: Convolution = {
    kernel,
    strides: axes.map(({ stride }) => stride),
    dilations: axes.map(({ dilation }) => dilation),
    before: axes.map(({ before }) => Number(before)),
    after: axes.map(({ after }) => Number(after)),
    group: attributes.int("group", 1),
  };
  return [
    backward.where(0, () => dataGradient(emit, dY, weight, backward.dims(0), moved)),
    backward.where(1, () => weightGradient(emit, dY, x, backward.dims(1), moved)),
    backward.where(2, () => biasGradient(backward)),
  ];
}

/** It is a convolution's gradient, so its own is that convolution; in the weight's, input and cotangent change roles. */
function transposedConvolution(backward: Backward): readonly (ValueId | null)[] {
  const { emit, attributes } = backward;
  const [x, weight, given] = [backward.input(0), backward.input(1), backward.cotangent()];
  const kernel = backward.dims(1).slice(2);
  const places = backward.dims(0).slice(2);
  const axes = transposedAxes(places, kernel, attributes) ?? [];
  const strides = axes.map(({ stride }) => stride);
  const dilations = axes.map(({ dilation }) => dilation);
  const before = axes.map((axis) => axis.before);
  // What the windows reach over, from the first one's begin: cut at the output's end, or short of it.
  const after = axes.map(
    (axis, at) =>
      axis.stride * ((places[at] ?? 1) - 1) +
      axis.dilation * ((kernel[at] ?? 1) - 1) +
      1 -
      axis.before -
      Number(axis.output),
  );
  const spatial = kernel.map((_, axis) => axis + 2);
  // Where no window reaches, nothing depends on the input.
  const dY = emit.slice(
    given,
    spatial,
    spatial.map(() => 0),
    axes.map(({ output }, at) => Number(output) + Math.min(0, after[at] ?? 0)),
    spatial.map(() => 1),
  );
  const moved: Convolution = {
    kernel,
    strides,
    dilations,
    before,
    after: after.map((count) => Math.max(0, count)),
    group: attributes.int("group", 1),
  };
  return [
    backward.where(0, () => emit.node("Conv", [dY, weight], convolutionAttributes(moved))),
    backward.where(1, () => weightGradient(emit, x, dY, backward.dims(1), moved)),
    backward.where(2, () => biasGradient(backward)),
  ];
}

export const convolutionGradients: Some<typeof convolutionSchemas, Gradient> = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
};
