export * from "./bundle/index.js";
export * from "./analysis/index.js";
export * from "./ir/index.js";
export { formatOf, importModel, type ModelSource } from "./import-model.js";
export { decodeModel, encodeModel, type DecodeOptions } from "./onnx/index.js";
export {
  inferAll,
  inferNode,
  evaluateGraph,
  operatorOf,
  type TrainingEngine,
} from "./ops/index.js";
export {
  bindShapes,
  type BindShapesOptions,
  type AwareOptions,
  distill,
  distillGraph,
  type DistillOptions,
  type DistillServices,
  findPass,
  lostConstants,
  lostDefaults,
  outputsToTensors,
  mustStay,
  notToBeHad,
  lowestOpset,
  type PassName,
  type PassStep,
  inEngineOpset,
  passes,
  quantizeAware,
  quantizeAwareGraph,
  type QuantizedAware,
} from "./passes/index.js";
export { misreadNotes, misreadPads } from "./rules/pads-of-maxima.js";
export { type Applied, applyGroup, applyStep, runStep } from "./pipeline/apply-step.js";
export type { Example, Examples } from "./pipeline/examples.js";
export type { OpenWorkers, Workers } from "./pipeline/workers.js";
export type { Exactness, Pass, PassContext, PassDefinition, Registry } from "./pipeline/pass.js";
export { isPreset, type PresetName, presets } from "./recipes/presets.js";
export { randomOf } from "./pipeline/random.js";
export { CacheKey, type CacheKind, type KeyPart } from "./pipeline/cache-key.js";
export { parseRecipe, type Recipe, recipeSchema } from "./pipeline/recipe.js";
export { recipeData, type RecipeData, recipeHash } from "./pipeline/recipe-data.js";
export type { Step, StepGroup } from "./pipeline/step.js";
export { KeptActivations } from "./calibrate/kept-activations.js";
export type { CalibrationSamples } from "./calibrate/calibrate.js";
export { MeasuredActivations } from "./calibrate/measured-activations.js";
export * from "./prune/index.js";
export { type Cache, memoryCache, noCache } from "./pipeline/services.js";
export { checkLock, type Lock, type LockedTarget, parseLock } from "./search/lock.js";
export { optimize } from "./search/optimize.js";
export { besideThePlan } from "./search/plan-search.js";
export { replay, type ReplayRequest } from "./search/replay.js";
export { reportOf, type ReportContext } from "./search/record/report.js";
export { variantId } from "./search/request.js";
export { surplus } from "./search/verdict/worth.js";
export type {
  Budget,
  Clock,
  Limits,
  Optimized,
  OptimizedVariant,
  OptimizeRequest,
  PlanSummary,
  SearchProgress,
  TargetDevice,
} from "./search/request.js";
export { checkpointPlace } from "./train/checkpoint.js";
export { differentiate, type DifferentiateOptions } from "./train/differentiate.js";
export { initializeFresh } from "./train/initialize.js";
export { bringToTrainable } from "./passes/distillation/bring-to-trainable.js";
export { demandTrainable } from "./train/parameters.js";
export type { Trained, TrainingProgress } from "./train/train-request.js";
export {
  parseSafetensorsHeader,
  type SafetensorsArray,
  safetensorsHeaderLength,
  safetensorsLengthBytes,
} from "./train/safetensors-header.js";
export type { EpochFacts } from "./train/training-state.js";
export { findTarget, targets } from "./targets/index.js";
export {
  type CompiledModel,
  type CompileOptions,
  compileToWasm,
  type Refusal,
  refusalsOf,
  refusalText,
} from "./wasm/index.js";
export { loadableOn } from "./targets/loadable.js";
export { saturates } from "./targets/saturation.js";
export { obstacleText, supportOf, type TargetSupport } from "./targets/support.js";
export { combinedSizes, type Sizes } from "./targets/sizes.js";
export type { Obstacle, Proposal, Target, Verdict } from "./targets/target.js";
