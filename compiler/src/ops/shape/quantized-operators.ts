import { type Dim, dim } from "../../ir/index.js";
import type { Every } from "../schema/cells.js";
import type { quantizedOperatorSchemas } from "../schema/quantized-operators.js";
import { joinedShape } from "./concat-split.js";
import { convolvedShape } from "./convolution.js";
import { broadcastShapes } from "../families/broadcast.js";
import { embeddedShapes } from "./fused.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import { gemmShape, productShape } from "./matrix.js";
import { globalShape, pooledShape } from "./pooling.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** Of what else has its channels last, after an engine has optimized it, nothing is said. */
const hasChannelsLast = ({ attributes }: InferContext): boolean =>
  attributes.int("channels_last", 0) !== 0;

const binary: ShapeRule = (context) =>
  tensorOf(context.dtype(0), broadcastShapes([context.shape(0), context.shape(3)]));

const image =
  (shapeOf: (context: InferContext) => readonly Dim[] | undefined, typeAt: number): ShapeRule =>
  (context) =>
    tensorOf(context.dtype(typeAt), hasChannelsLast(context) ? undefined : shapeOf(context));

export const quantizedOperatorShapes: Every<typeof quantizedOperatorSchemas, ShapeRule> = {
  "com.microsoft::QLinearConv": image((context) => convolvedShape(context, 3), 7),
  "com.microsoft::QGemm"(context) {
    const isRounded = (context.node.inputs[8] ?? null) !== null;
    return tensorOf(isRounded ? context.dtype(8) : "float32", gemmShape(context, 3));
  },
  "com.microsoft::QLinearAdd": binary,
  "com.microsoft::QLinearMul": binary,
  "com.microsoft::QLinearSigmoid": sameAsInput,
  "com.microsoft::QLinearLeakyRelu": sameAsInput,
  "com.microsoft::QLinearGlobalAveragePool": image((context) => globalShape(context), 0),
  "com.microsoft::QLinearAveragePool": image((context) => pooledShape(context), 0),
  "com.microsoft::QLinearConcat"(context) {
    const parts = context.node.inputs.flatMap((_, at) =>
      at >= 2 && (at - 2) % 3 === 0 ? [context.shape(at)] : [],
    );
    return tensorOf(context.dtype(1), joinedShape(parts, context.attributes.int("axis", 0)));
  },
  "com.microsoft::QLinearWhere": (context) =>
    tensorOf(
      context.dtype(1),
      broadcastShapes([context.shape(0), context.shape(1), context.shape(4)]),
    ),
  "com.microsoft::QLinearSoftmax": sameAsInput,
  "com.microsoft::MatMulIntegerToFloat": (context) =>
    tensorOf("float32", productShape(context.shape(0), context.shape(1))),
  "com.microsoft::QAttention"(context) {
    const [batch, steps] = context.shape(0) ?? [];
    const all = context.shape(1)?.[1];
    const known = batch !== undefined && steps !== undefined && all !== undefined;
    return tensorOf("float32", known ? [batch, steps, dim.floorDiv(all, 3)] : undefined);
  },
  "com.microsoft::QEmbedLayerNormalization": (context) =>
    embeddedShapes(context, "float32").slice(0, 2),
};
