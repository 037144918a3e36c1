import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { spannedCount } from "../../ir/index.js";
import { integers, unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { axisWeights, interpolationOf } from "../families/interpolation.js";
import { axesOf, bySizes, scaledSize } from "../families/resize.js";
import type { Some } from "../schema/cells.js";
import type { resizeSchemas } from "../schema/resize.js";
import { sampleGrid } from "./grid-sample.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";
import { clampTo, integerRange } from "./quantized.js";
import { roundHalfEven } from "./round-half-even.js";

/** What an axis becomes: its size, by which factor, and which part of it is looked at. */
interface Target {
  readonly size: number;
  readonly scale: number;
  readonly roi: readonly [number, number];
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
    return { size: scaledSize(size, scale), scale, roi: region };
  });
}

/** Of an axis, and of the result and what lies between: no constant of a model is resized to more. */
const mostElements = 2 ** 26;

/** @throws PareError MODEL_INVALID, MODEL_LIMIT before anything is made */
function checkTargets(targets: readonly Target[]): void {
  for (const { size } of targets) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new PareError("MODEL_INVALID", `Resize makes an axis of ${size} elements.`);
  }
  const largest = spannedCount(targets.map(({ size }) => size));
  if (largest > mostElements)
    throw new PareError("MODEL_LIMIT", `Resize makes ${largest} elements of a constant.`);
}

/** Interpolation is separable: one axis after the other. */
function evaluate(context: EvaluateContext): readonly Dense[] {
  const x = context.input(0);
  const targets = targetsOf(context, x);
  checkTargets(targets);
  const interpolation = interpolationOf(context.attributes);
  if (interpolation === undefined)
    throw new PareError(
      "MODEL_INVALID",
      `Resize has no mode ${context.attributes.string("mode", "nearest")}.`,
    );
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

export const resizeReferences: Some<typeof resizeSchemas, Evaluation> = {
  Resize: evaluate,
  GridSample: sampleGrid,
};
