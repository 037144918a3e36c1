import { dim, type Dim, isStatic } from "../../ir/index.js";
import { gathered } from "../families/gather.js";
import { normalAxis } from "../families/indexing.js";
import type { Every } from "../schema/cells.js";
import type { gatherSchemas } from "../schema/gather.js";
import { tensorOf } from "./inferred.js";
import { movedElements } from "./moved-elements.js";
import type { ShapeRule } from "./rule.js";

export const gatherShapes: Every<typeof gatherSchemas, ShapeRule> = {
  Gather(context) {
    const shape = context.shape(0);
    const indexShape = context.shape(1);
    if (shape === undefined || indexShape === undefined)
      return tensorOf(context.dtype(0), undefined);
    const axis = normalAxis(context.attributes.int("axis", 0), shape.length);
    const indices = context.elements(1);
    const result = [...shape.slice(0, axis), ...indexShape, ...shape.slice(axis + 1)];
    const elements =
      indices !== undefined && isStatic(indices) && isStatic(indexShape)
        ? movedElements(context, result, (dims) => gathered(dims, axis, indices, indexShape))
        : undefined;
    return tensorOf(context.dtype(0), result, elements);
  },
  "com.microsoft::GatherBlockQuantized"(context) {
    const { attributes } = context;
    const [shape, indexShape] = [context.shape(0), context.shape(1)];
    const bits = attributes.int("bits", 4);
    if (shape === undefined || indexShape === undefined || ![2, 4, 8].includes(bits))
      return tensorOf(context.dtype(2), undefined);
    const axis = normalAxis(attributes.int("gather_axis", 0), shape.length);
    // Bytes hold several numbers of a row.
    const last = dim.multiply(shape.at(-1) ?? 1, context.dtype(0) === "uint8" ? 8 / bits : 1);
    const dims = [...shape.slice(0, -1), last];
    return tensorOf(context.dtype(2), [
      ...dims.slice(0, axis),
      ...indexShape,
      ...dims.slice(axis + 1),
    ]);
  },
  GatherElements: (context) => tensorOf(context.dtype(0), context.shape(1)),
  GatherND(context) {
    const shape = context.shape(0);
    const indexShape = context.shape(1);
    const depth = indexShape?.at(-1);
    if (shape === undefined || indexShape === undefined || typeof depth !== "number")
      return tensorOf(context.dtype(0), undefined);
    const batch = context.attributes.int("batch_dims", 0);
    return tensorOf(context.dtype(0), [...indexShape.slice(0, -1), ...shape.slice(batch + depth)]);
  },
  Compress(context) {
    const shape = context.shape(0);
    const axis = context.attributes.int("axis");
    const conditions = context.elements(1);
    const count =
      conditions !== undefined && isStatic(conditions)
        ? conditions.filter((value) => value !== 0).length
        : dim.unknown();
    if (axis === undefined) return tensorOf(context.dtype(0), [count]);
    const at = shape === undefined ? 0 : normalAxis(axis, shape.length);
    const result: readonly Dim[] | undefined = shape?.map((size, which) =>
      which === at ? count : size,
    );
    return tensorOf(context.dtype(0), result);
  },
};
