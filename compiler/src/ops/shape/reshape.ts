import { type Dim, dim, product } from "../../ir/index.js";
import { broadcastShapes } from "../families/broadcast.js";
import { flattened, reshapedShape, squeezed, unsqueezed } from "../families/reshape.js";
import type { Every } from "../schema/cells.js";
import type { reshapeSchemas } from "../schema/reshape.js";
import { isAbsent, numbersOf, tensorOf, unknownDims } from "./inferred.js";
import { isShort } from "./integers.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** The integers of a scalar-like input, once for each element of a small static shape. */
function spread(
  context: InferContext,
  shape: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  const elements = context.elements(0);
  if (elements === undefined || shape === undefined || !isShort(shape)) return undefined;
  const count = Number(product(shape));
  if (elements.length === count) return elements;
  const [first] = elements;
  return elements.length === 1 && first !== undefined
    ? Array.from({ length: count }, () => first)
    : undefined;
}

export const reshapeShapes: Every<typeof reshapeSchemas, ShapeRule> = {
  Identity(context) {
    const type = context.type(0);
    return type === undefined ? [] : [{ type, elements: context.elements(0) }];
  },
  Shape(context) {
    const { attributes } = context;
    const shape = context.shape(0);
    if (shape === undefined) return tensorOf("int64", [dim.unknown()]);
    const kept = shape.slice(attributes.int("start", 0), attributes.int("end", shape.length));
    return tensorOf("int64", [kept.length], kept);
  },
  Size(context) {
    const shape = context.shape(0);
    return tensorOf("int64", [], shape && [product(shape)]);
  },
  Reshape(context) {
    const dtype = context.dtype(0);
    const target = context.elements(1) ?? context.attributes.ints("shape");
    if (target === undefined) return tensorOf(dtype, unknownDims(context, 1));
    const shape = reshapedShape(
      context.shape(0),
      target,
      context.attributes.int("allowzero", 0) !== 0,
    );
    return tensorOf(dtype, shape, context.elements(0));
  },
  Squeeze(context) {
    const dtype = context.dtype(0);
    const shape = context.shape(0);
    const all = isAbsent(context, 1, "axes");
    const axes = numbersOf(context, 1, "axes");
    // Without axes, a dim that may or may not be 1 leaves even the rank open.
    if (
      shape === undefined ||
      (all ? shape.some((size) => typeof size !== "number") : axes === undefined) ||
      // By the specification none goes then, and in onnxruntime all that are 1.
      axes?.length === 0
    ) {
      return tensorOf(dtype, undefined, context.elements(0));
    }
    return tensorOf(dtype, squeezed(shape, axes), context.elements(0));
  },
  Unsqueeze(context) {
    const shape = context.shape(0);
    const axes = numbersOf(context, 1, "axes");
    const known = shape === undefined || axes === undefined ? undefined : unsqueezed(shape, axes);
    return tensorOf(context.dtype(0), known, context.elements(0));
  },
  Flatten(context) {
    const shape = context.shape(0);
    const axis = context.attributes.int("axis", 1);
    const result = shape === undefined ? [dim.unknown(), dim.unknown()] : flattened(shape, axis);
    return tensorOf(context.dtype(0), result, context.elements(0));
  },
  Expand(context) {
    const from = context.shape(0);
    const target = context.elements(1) ?? unknownDims(context, 1);
    const shape = broadcastShapes([from, target]);
    return tensorOf(context.dtype(0), shape, spread(context, shape));
  },
};
