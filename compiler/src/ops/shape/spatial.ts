import { type Dim, dim } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { unpooledSizes } from "../families/spatial.js";
import type { Every } from "../schema/cells.js";
import type { spatialSchemas } from "../schema/spatial.js";
import { convolvedShape } from "./convolution.js";
import { tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** Of images [batch, channels, rows, columns] a place for each; of volumes one axis more. */
function gridShape(context: InferContext): readonly Dim[] | undefined {
  const [batch, , ...places] = context.elements(1) ?? [];
  return batch === undefined ? undefined : [batch, ...places, places.length];
}

function centredShape(context: InferContext): readonly Dim[] | undefined {
  const shape = context.shape(0);
  if (shape === undefined) return undefined;
  const axes = context.attributes.ints("axes") ?? [...shape.keys()];
  const sizes = context.elements(1);
  const found = new Map(axes.map((axis, at) => [normalAxis(axis, shape.length), sizes?.[at]]));
  return shape.map((size, axis) => (found.has(axis) ? (found.get(axis) ?? dim.unknown()) : size));
}

/** [batch, channels · block, blocks] */
function joinedShape(context: InferContext): readonly Dim[] | undefined {
  const [batch, deep] = context.shape(0) ?? [];
  const [image, block] = [context.elements(1), context.elements(2)];
  if (batch === undefined || deep === undefined || image === undefined || block === undefined)
    return undefined;
  const taken = block.reduce<Dim>((product, size) => dim.multiply(product, size), 1);
  const channels = typeof taken === "number" ? dim.floorDiv(deep, taken) : dim.unknown();
  return [batch, channels, ...image];
}

function unpooledShape(context: InferContext): readonly Dim[] | undefined {
  const shape = context.shape(0);
  if (shape === undefined) return undefined;
  if ((context.node.inputs[2] ?? null) !== null)
    return context.elements(2) ?? shape.map(() => dim.unknown());
  return [...shape.slice(0, 2), ...unpooledSizes(shape.slice(2), context.attributes)];
}

function regionsShape(context: InferContext): readonly Dim[] | undefined {
  const [regions, channels] = [context.shape(1)?.[0], context.shape(0)?.[1]];
  if (regions === undefined || channels === undefined) return undefined;
  const { attributes } = context;
  return [regions, channels, attributes.int("output_height", 1), attributes.int("output_width", 1)];
}

export const spatialShapes: Every<typeof spatialSchemas, ShapeRule> = {
  AffineGrid: (context) => tensorOf(context.dtype(0), gridShape(context)),
  CenterCropPad: (context) => tensorOf(context.dtype(0), centredShape(context)),
  Col2Im: (context) => tensorOf(context.dtype(0), joinedShape(context)),
  DeformConv: (context) => tensorOf(context.dtype(0), convolvedShape(context, 1)),
  MaxUnpool: (context) => tensorOf(context.dtype(0), unpooledShape(context)),
  RoiAlign: (context) => tensorOf(context.dtype(0), regionsShape(context)),
};
