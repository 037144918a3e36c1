import { type Dim, dtypeOfCode, tensorType } from "../../ir/index.js";
import type { Every } from "../schema/cells.js";
import type { randomSchemas } from "../schema/random.js";
import { tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

const shapeGiven: ShapeRule = ({ attributes }) =>
  tensorOf(dtypeOfCode(attributes.int("dtype")) ?? "float32", attributes.ints("shape"));

const likeInput: ShapeRule = (context) =>
  tensorOf(dtypeOfCode(context.attributes.int("dtype")) ?? context.dtype(0), context.shape(0));

export const randomShapes: Every<typeof randomSchemas, ShapeRule> = {
  RandomNormal: shapeGiven,
  RandomUniform: shapeGiven,
  RandomNormalLike: likeInput,
  RandomUniformLike: likeInput,
  Bernoulli: likeInput,
  Multinomial(context) {
    const [batch] = context.shape(0) ?? [];
    const shape: readonly Dim[] | undefined =
      batch === undefined ? undefined : [batch, context.attributes.int("sample_size", 1)];
    return tensorOf(dtypeOfCode(context.attributes.int("dtype")) ?? "int32", shape);
  },
  Dropout: (context) => [
    { type: tensorType(context.dtype(0), context.shape(0)), elements: context.elements(0) },
    { type: tensorType("bool", context.shape(0)) },
  ],
};
