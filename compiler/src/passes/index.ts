import { bindShapes } from "./bind-shapes.js";
import { convolveRepeats } from "./convolve-repeats.js";
import { distill } from "./distill.js";
import { dropLayers } from "./drop-layers.js";
import { equalize } from "./equalize.js";
import { fp16 } from "./fp16.js";
import { fp16Weights } from "./fp16-weights.js";
import { fp32 } from "./fp32.js";
import { lowerOpset } from "./lower-opset.js";
import { normalize } from "./normalize.js";
import type { PassDefinition } from "../pipeline/pass.js";
import { findPass as findIn } from "../pipeline/registry.js";
import type { StepOf } from "../pipeline/step.js";
import { prune } from "./prune.js";
import { quantizeAware } from "./quantize-aware.js";
import { quantizeDynamic } from "./quantize-dynamic.js";
import { quantizeDynamicOrt } from "./quantize-dynamic-ort.js";
import { quantizeStatic } from "./quantize-static.js";
import { quantizeStaticOrt } from "./quantize-static-ort.js";
import { quantizeWeights } from "./quantize-weights.js";
import { quantizeWeightsOrt } from "./quantize-weights-ort.js";
import { simplify } from "./simplify.js";

export { bindShapes, type BindShapesOptions } from "./bind-shapes.js";
export { distillGraph } from "./distillation/distill-graph.js";
export type { DistillServices } from "./distillation/teach.js";
export {
  type AwareOptions,
  quantizeAwareGraph,
  type QuantizedAware,
} from "./quantization-aware/quantize-aware-graph.js";
export { quantizeAware };
export { distill };
export type { DistillOptions } from "./distillation/options.js";
export { lostConstants } from "./left-by-converters.js";
export { lostDefaults } from "./defaults-to-initializers.js";
export { outputsToTensors } from "./outputs-to-tensors.js";
export { mustStay, notToBeHad } from "./pruning/must-stay.js";
export { inEngineOpset } from "./opset/engine-opset.js";
export { lowestOpset } from "./opset/lower.js";
export { holdsType, inFloat32 } from "./float32/in-float32.js";
export type * from "../pipeline/pass.js";

/** Every pass. Recipe steps follow from this tuple. */
export const passes = [
  bindShapes,
  normalize,
  simplify,
  lowerOpset,
  convolveRepeats,
  equalize,
  dropLayers,
  prune,
  quantizeStatic,
  quantizeStaticOrt,
  quantizeAware,
  quantizeDynamic,
  quantizeDynamicOrt,
  quantizeWeights,
  quantizeWeightsOrt,
  fp16,
  fp16Weights,
  fp32,
  distill,
] as const;

type Definition = (typeof passes)[number];

export type PassName = Definition["name"];

/** A step of a recipe in TypeScript: a typo in a pass's name or in an option is a type error. */
export type PassStep = StepOf<Definition>;

/** @throws PareError RECIPE when there is no pass of this name */
export function findPass(name: string): PassDefinition<string, unknown> {
  return findIn(passes, name);
}
