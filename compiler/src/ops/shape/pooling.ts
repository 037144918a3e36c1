import type { Dim } from "../../ir/index.js";
import { windowAxes } from "../families/window.js";
import type { Every } from "../schema/cells.js";
import type { poolingSchemas } from "../schema/pooling.js";
import { tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

export function pooledShape(context: InferContext): readonly Dim[] | undefined {
  const x = context.shape(0);
  const kernel = context.attributes.ints("kernel_shape");
  if (x === undefined || kernel === undefined) return undefined;
  const axes = windowAxes(x.slice(2), kernel, context.attributes);
  return [...x.slice(0, 2), ...axes.map((axis) => axis.output)];
}

const pooled: ShapeRule = (context) => tensorOf(context.dtype(0), pooledShape(context));

/** One window over everything. */
export function globalShape(context: InferContext): readonly Dim[] | undefined {
  return context.shape(0)?.map((size, axis) => (axis < 2 ? size : 1));
}

const global: ShapeRule = (context) => tensorOf(context.dtype(0), globalShape(context));

export const poolingShapes: Every<typeof poolingSchemas, ShapeRule> = {
  MaxPool(context) {
    const shape = pooledShape(context);
    return [...tensorOf(context.dtype(0), shape), ...tensorOf("int64", shape)];
  },
  AveragePool: pooled,
  LpPool: pooled,
  GlobalAveragePool: global,
  GlobalMaxPool: global,
};
