import { type Dim, dim, isStatic } from "../../ir/index.js";
import { axesOf, bySizes, scaledSize } from "../families/resize.js";
import type { Every } from "../schema/cells.js";
import type { resizeSchemas } from "../schema/resize.js";
import { tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

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
    if (typeof size === "number") return scaledSize(size, scale);
    if (Number.isInteger(scale)) return dim.multiply(size, scale);
    return Number.isInteger(1 / scale) ? dim.floorDiv(size, 1 / scale) : dim.unknown();
  });
}

export const resizeShapes: Every<typeof resizeSchemas, ShapeRule> = {
  Resize: (context) => tensorOf(context.dtype(0), resizedShape(context)),
  /** The channels of the input, and for each place of the grid one. */
  GridSample(context) {
    const [x, grid] = [context.shape(0), context.shape(1)];
    const shape = x && grid && [...x.slice(0, 2), ...grid.slice(1, -1)];
    return tensorOf(context.dtype(0), shape);
  },
};
