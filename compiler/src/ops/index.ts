export { channelNode, valueAt } from "./channels/channel-node.js";
export type { Coupling, Fit, Kept, Port, Tie } from "./channels/coupling.js";
export { convert } from "./elements/convert.js";
export { isPositive } from "./families/bounds.js";
export { filling } from "./families/creation.js";
export { hasUnconfirmedSizes, unmetDemand } from "./demands/demands.js";
export { einsumLabels } from "./families/einsum.js";
export {
  classesOfCoupling,
  classifierVectors,
  couplingOfPairs,
  linearScores,
  mostCoupled,
  pairsOf,
  regressorVectors,
  type SupportVectors,
  vectorOfEachPair,
} from "./families/support-vectors.js";
export { Backward } from "./gradients/backward.js";
export { Forward } from "./gradients/forward.js";
export { Emitter, fewProducts } from "./gradients/emitter.js";
export type { TrainingEngine } from "./gradients/training-engine.js";
export { evaluateNode } from "./reference/evaluate.js";
export { evaluateGraph } from "./reference/execute.js";
export { type AttributeReader, attributeReader } from "./schema/attributes.js";
export { missingInput } from "./schema/missing-input.js";
export { keyOf } from "./schema/schemas.js";
export { isItself } from "./shape/integers.js";
export { inferAll, inferNode } from "./shape/infer.js";
export { operatorOf, operators } from "./table.js";
export { movesExactly } from "./traits/data-movement.js";
export { holdsScale } from "./traits/scales.js";
export type { Fans, LearnedInput } from "./traits/learned.js";
export type { WeightInput } from "./traits/weights.js";
export type { Linear } from "./traits/linear.js";
export { unknownSizes } from "./demands/demand.js";
