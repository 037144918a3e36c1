import type { Dtype } from "@pare/runtime/format";
import type { Dim } from "../../ir/index.js";
import { turnedAxes } from "../families/turned-axes.js";
import type { Every } from "../schema/cells.js";
import type { fusedSchemas } from "../schema/fused.js";
import { convolvedShape } from "./convolution.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import { gemmShape, productShape } from "./matrix.js";
import { layerNormalization } from "./normalization.js";
import type { InferContext, ShapeRule } from "./rule.js";

function turned(context: InferContext, input: number, name: "A" | "B"): readonly Dim[] | undefined {
  const shape = context.shape(input);
  return (
    shape && turnedAxes(shape.length, context.attributes, name).flatMap((axis) => shape[axis] ?? [])
  );
}

const turnedProduct: ShapeRule = (context) =>
  tensorOf(context.dtype(0), productShape(turned(context, 0, "A"), turned(context, 1, "B")));

/** Of what is trained with, two outputs, nothing is said. */
const withSum: ShapeRule = (context) => {
  const [sum] = tensorOf(context.dtype(0), context.shape(0));
  return [sum, undefined, undefined, sum];
};

/** Of tokens [batch, length] and a table of words: what is found, how many of each sample count, and the sum before. */
export function embeddedShapes(
  context: InferContext,
  dtype: Dtype | undefined,
): ReturnType<ShapeRule> {
  const [batch, length] = context.shape(0) ?? [];
  const width = context.shape(2)?.[1];
  const known = batch !== undefined && length !== undefined && width !== undefined;
  const [rows] = tensorOf(dtype, known ? [batch, length, width] : undefined);
  return [rows, ...tensorOf("int32", batch === undefined ? undefined : [batch]), rows];
}

export const fusedShapes: Every<typeof fusedSchemas, ShapeRule> = {
  "com.microsoft::Gelu": sameAsInput,
  "com.microsoft::QuickGelu": sameAsInput,
  "com.microsoft::BiasGelu": sameAsInput,
  "com.microsoft::FastGelu": sameAsInput,
  "com.microsoft::FusedConv": (context) => tensorOf(context.dtype(0), convolvedShape(context, 1)),
  "com.microsoft::FusedMatMul": turnedProduct,
  "com.microsoft::TransposeMatMul": turnedProduct,
  "com.microsoft::FusedGemm": (context) => tensorOf(context.dtype(0), gemmShape(context)),
  MeanVarianceNormalization: sameAsInput,
  SimplifiedLayerNormalization(context) {
    const [normalized, , inverse] = layerNormalization(context);
    return [normalized, inverse];
  },
  "com.microsoft::SkipLayerNormalization": withSum,
  "com.microsoft::SkipSimplifiedLayerNormalization": withSum,
  "com.microsoft::EmbedLayerNormalization": (context) => embeddedShapes(context, context.dtype(2)),
};
