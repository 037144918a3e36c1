import { type Dim, dim } from "../../ir/index.js";
import { transposedAxes } from "../families/convolution.js";
import { windowAxes } from "../families/window.js";
import type { Every } from "../schema/cells.js";
import type { convolutionSchemas } from "../schema/convolution.js";
import { tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** [N, C, …] and [M, C / group, …kernel] give [N, M, …]. */
export function convolvedShape(context: InferContext, weights: number): readonly Dim[] | undefined {
  const x = context.shape(0);
  const w = context.shape(weights);
  const kernel = w?.slice(2) ?? context.attributes.ints("kernel_shape");
  const [batch] = x ?? [];
  if (x === undefined || batch === undefined || kernel === undefined) return undefined;
  const [channels] = w ?? [];
  if (channels === undefined) return undefined;
  return [
    batch,
    channels,
    ...windowAxes(x.slice(2), kernel, context.attributes).map((axis) => axis.output),
  ];
}

const convolved: ShapeRule = (context) => tensorOf(context.dtype(0), convolvedShape(context, 1));

export const convolutionShapes: Every<typeof convolutionSchemas, ShapeRule> = {
  Conv: convolved,
  ConvInteger: (context) => tensorOf("int32", convolvedShape(context, 1)),
  QLinearConv: (context) => tensorOf(context.dtype(7), convolvedShape(context, 3)),
  ConvTranspose(context) {
    const x = context.shape(0);
    const w = context.shape(1);
    const [batch] = x ?? [];
    const [, depth] = w ?? [];
    if (x === undefined || w === undefined || batch === undefined || depth === undefined)
      return tensorOf(context.dtype(0), undefined);
    const axes = transposedAxes(x.slice(2), w.slice(2), context.attributes);
    const channels = dim.multiply(depth, context.attributes.int("group", 1));
    return tensorOf(
      context.dtype(0),
      axes && [batch, channels, ...axes.map((axis) => axis.output)],
    );
  },
};
