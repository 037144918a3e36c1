import { PareError } from "@pare/runtime/format";
import { bindShapes } from "./bind-shapes.js";
import { fp16 } from "./fp16.js";
import { fp16Weights } from "./fp16-weights.js";
import { lowerOpset } from "./lower-opset.js";
import { normalize } from "./normalize.js";
import type { PassDefinition } from "../pipeline/pass.js";
import { quantizeDynamic } from "./quantize-dynamic.js";
import { quantizeStatic } from "./quantize-static.js";
import { quantizeWeights } from "./quantize-weights.js";
import { simplify } from "./simplify.js";

export { bindShapes, type BindShapesOptions } from "./bind-shapes.js";
export type * from "../pipeline/pass.js";

/** Every pass. Recipe steps follow from this tuple. */
export const passes = [
  bindShapes,
  normalize,
  simplify,
  lowerOpset,
  quantizeStatic,
  quantizeDynamic,
  quantizeWeights,
  fp16,
  fp16Weights,
] as const;

export type PassName = (typeof passes)[number]["name"];

export const passNames: readonly PassName[] = passes.map((definition) => definition.name);

/** @throws PareError RECIPE when there is no pass of this name */
export function findPass(name: string): PassDefinition<string, unknown> {
  const found = passes.find((definition) => definition.name === name);
  if (found === undefined) {
    throw new PareError("RECIPE", `There is no pass "${name}".`, {
      where: name,
      hint: `The passes are ${passNames.join(", ")}.`,
    });
  }
  return found;
}
