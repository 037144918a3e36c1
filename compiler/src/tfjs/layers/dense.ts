import { activated } from "./activations.js";
import type { TranslateLayer } from "./layer-translation.js";

/** Of the last axis, however many are before it. */
export const dense: TranslateLayer = (at) => {
  const made = at.add("MatMul", [at.input, at.weight("kernel", 2)]);
  const hasBias = at.config.flag("use_bias", true);
  return activated(at, hasBias ? at.add("Add", [made, at.weight("bias", 1)]) : made);
};

/** Numbers are taken as places: what comes as floats is cut to integers. */
export const embedding: TranslateLayer = (at) => {
  const places = at.cast(at.input, "int32");
  return at.add("Gather", [at.weight("embeddings", 2), places]);
};
