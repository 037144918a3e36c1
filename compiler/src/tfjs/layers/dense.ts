import { activated } from "./activations.js";
import type { TranslateLayer } from "./layer-translation.js";

/** Of the last axis, however many are before it. */
export const dense: TranslateLayer = (at) => {
  const made = at.add("MatMul", [at.input, at.weight("kernel", 2)]);
  const hasBias = at.config.flag("use_bias", true);
  return activated(at, hasBias ? at.add("Add", [made, at.weight("bias", 1)]) : made);
};
