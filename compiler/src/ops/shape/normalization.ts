import { tensorType } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { Every } from "../schema/cells.js";
import type { normalizationSchemas } from "../schema/normalization.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import type { ShapeRule } from "./rule.js";

export const layerNormalization: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = shape && normalAxis(context.attributes.int("axis", -1), shape.length);
  const kept = shape?.map((size, at) => (at < (axis ?? 0) ? size : 1));
  const statistic = {
    type: tensorType(
      context.attributes.int("stash_type", 1) === 1 ? "float32" : context.dtype(0),
      kept,
    ),
  };
  return [...sameAsInput(context), statistic, statistic];
};

export const normalizationShapes: Every<typeof normalizationSchemas, ShapeRule> = {
  BatchNormalization(context) {
    const running = tensorOf(context.dtype(3), context.shape(3));
    return [...sameAsInput(context), ...running, ...running];
  },
  LayerNormalization: layerNormalization,
  InstanceNormalization: sameAsInput,
  GroupNormalization: sameAsInput,
  LRN: sameAsInput,
  LpNormalization: sameAsInput,
};
