export { isBatchName, isState } from "./batch.js";
export { wasRounded } from "./decoded.js";
export { Fingerprints } from "./fingerprints.js";
export { countMacs, nodeMacs } from "./macs.js";
export { nominalMacs } from "./nominal-sizes.js";
export { countOperators, type OperatorCount } from "./operators.js";
export { countConstantBytes, countParameters } from "./parameters.js";
export { drawsNumbers, randomNodes } from "./random-nodes.js";
export { type StoredWeight, storedWeights } from "./stored-weights.js";
