import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { type Dim, dim, isStatic } from "../../ir/index.js";
import { integers, unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { normalAxis } from "../families/indexing.js";
import { tensorOf } from "../shape/inferred.js";
import { axisWeights, type Interpolation } from "../families/interpolation.js";
import { clampTo, integerRange } from "./quantized.js";
import type { AttributeReader, EvaluateContext, InferContext, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { roundHalfEven } from "./unary.js";

/** What an axis becomes: its size, by which factor, and which part of it is looked at. */
interface Target {
  readonly size: number;
  readonly scale: number;
  readonly roi: readonly [number, number];
}

/** The sizes or scales of Resize are inputs 3 and 2; before opset 11 the scales were input 1. */
function resizedShape(context: InferContext): readonly Dim[] | undefined {
  const x = context.shape(0);
  if (x === undefined) return undefined;
  const { attributes } = context;
  const axes = axesOf(attributes, x.length);
  const sizes = context.elements(3);
  if (sizes !== undefined && sizes.length > 0) {
    if (attributes.string("keep_aspect_ratio_policy", "stretch") !== "stretch") {
      return isStatic(x) && isStatic(sizes)
        ? bySizes(x, sizes, axes, attributes).map(({ size }) => size)
        : x.map((size, axis) => (axes.includes(axis) ? dim.unknown() : size));
    }
    return x.map((size, axis) =>
      axes.includes(axis) ? (sizes[axes.indexOf(axis)] ?? size) : size,
    );
  }
  const scales =
    context.constant(context.node.inputs.length === 2 ? 1 : 2)?.numbers() ??
    context.attributes.floats("scales");
  return x.map((size, axis) => {
    const at = axes.indexOf(axis);
    const scale = scales?.[at];
    if (at < 0 || scale === 1) return size;
    if (scale === undefined) return dim.unknown();
    if (typeof size === "number") return Math.floor(size * scale);
    if (Number.isInteger(scale)) return dim.multiply(size, scale);
    return Number.isInteger(1 / scale) ? dim.floorDiv(size, 1 / scale) : dim.unknown();
  });
}

function axesOf(attributes: AttributeReader, rank: number): readonly number[] {
  const axes = attributes.ints("axes") ?? Array.from({ length: rank }, (_, axis) => axis);
  return axes.map((axis) => normalAxis(axis, rank));
}

function bySizes(
  dims: readonly number[],
  sizes: readonly number[],
  axes: readonly number[],
  attributes: AttributeReader,
): readonly { readonly size: number; readonly scale: number }[] {
  const policy = attributes.string("keep_aspect_ratio_policy", "stretch");
  const scales = axes.map((axis, at) => (sizes[at] ?? 1) / (dims[axis] ?? 1));
  const common =
    policy === "not_larger"
      ? Math.min(...scales)
      : policy === "not_smaller"
        ? Math.max(...scales)
        : undefined;
  return dims.map((size, axis) => {
    const at = axes.indexOf(axis);
    if (at < 0) return { size, scale: 1 };
    if (common === undefined) return { size: sizes[at] ?? size, scale: scales[at] ?? 1 };
    return { size: Math.floor(common * size + 0.5), scale: common };
  });
}

function targetsOf({ inputs, attributes }: EvaluateContext, x: Dense): readonly Target[] {
  const axes = axesOf(attributes, x.dims.length);
  const [roi, scales, sizes] =
    inputs.length === 2 ? [null, inputs[1], null] : [inputs[1], inputs[2], inputs[3]];
  const regions = roi === null || roi === undefined ? [] : unpackNumbers(roi);
  const given = scales === null || scales === undefined ? [] : unpackNumbers(scales);
  const sized =
    sizes === null || sizes === undefined
      ? undefined
      : bySizes(x.dims, integers(sizes), axes, attributes);
  return x.dims.map((size, axis) => {
    const at = axes.indexOf(axis);
    const region: readonly [number, number] =
      at < 0 ? [0, 1] : [regions[at] ?? 0, regions[at + axes.length] ?? 1];
    const chosen = sized?.[axis];
    if (chosen !== undefined) return { ...chosen, roi: region };
    const scale = at < 0 ? 1 : (given[at] ?? 1);
    return { size: Math.floor(size * scale), scale, roi: region };
  });
}

function interpolationOf(attributes: AttributeReader): Interpolation {
  const mode = attributes.string("mode", "nearest");
  if (mode !== "nearest" && mode !== "linear" && mode !== "cubic")
    throw new PareError("MODEL_INVALID", `Resize has no mode ${mode}.`);
  return {
    mode,
    transformation: attributes.string("coordinate_transformation_mode", "half_pixel"),
    nearest: attributes.string("nearest_mode", "round_prefer_floor"),
    cubic: attributes.float("cubic_coeff_a", -0.75),
    antialias: attributes.int("antialias", 0) !== 0,
    excludeOutside: attributes.int("exclude_outside", 0) !== 0,
  };
}

/** Interpolation is separable: one axis after the other. */
function evaluate(context: EvaluateContext): readonly Dense[] {
  const x = context.input(0);
  const targets = targetsOf(context, x);
  const interpolation = interpolationOf(context.attributes);
  const outside = context.attributes.float("extrapolation_value", 0);
  let values: ArrayLike<number> = unpackNumbers(x);
  const dims = [...x.dims];
  targets.forEach(({ size, scale, roi }, axis) => {
    const from = dims[axis] ?? 1;
    if (scale === 1 && size === from && roi[0] === 0 && roi[1] === 1) return;
    const weights = axisWeights(interpolation, { from, size, scale, roi });
    const inner = elementCount(dims.slice(axis + 1));
    dims[axis] = size;
    const before: ArrayLike<number> = values;
    values = Float64Array.from({ length: elementCount(dims) }, (_, i) => {
      const place = weights[Math.floor(i / inner) % size];
      if (place === undefined) return outside;
      const start = Math.floor(i / (inner * size)) * from * inner + (i % inner);
      return place.reduce(
        (sum, { index, weight }) => sum + weight * (before[start + index * inner] ?? 0),
        0,
      );
    });
  });
  // Integers hold what linear and cubic give only rounded and saturated.
  const rounded = /^u?int/.test(x.type)
    ? Float64Array.from(values, (value) => clampTo(roundHalfEven(value), integerRange(x.type)))
    : values;
  return [denseOf(x.type, dims, rounded)];
}

export const resizeRows: readonly OperatorRow[] = [
  {
    name: "Resize",
    domain: "",
    inputs: parameters("X", "roi?", "scales?", "sizes?"),
    outputs: parameters("Y"),
    attributes: [
      "antialias",
      "axes",
      "coordinate_transformation_mode",
      "cubic_coeff_a",
      "exclude_outside",
      "extrapolation_value",
      "keep_aspect_ratio_policy",
      "mode",
      "nearest_mode",
    ],
    infer: (context) => tensorOf(context.dtype(0), resizedShape(context)),
    evaluate,
  },
];
