import { operator } from "./operator.js";

export const normalizationSchemas = {
  BatchNormalization: operator(
    "X scale B input_mean input_var -> Y running_mean? running_var?",
    "epsilon momentum training_mode spatial",
  ),
  LayerNormalization: operator("X Scale B? -> Y Mean? InvStdDev?", "axis epsilon stash_type"),
  InstanceNormalization: operator("input scale B -> output", "epsilon"),
  GroupNormalization: operator("X scale bias -> Y", "epsilon num_groups stash_type"),
  LRN: operator("X -> Y", "alpha beta bias size"),
  LpNormalization: operator("input -> output", "axis p"),
};
