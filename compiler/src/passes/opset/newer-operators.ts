import type { ValueId } from "../../ir/index.js";
import { adapter, type Adapter, operand, type Step } from "./adapter.js";
import { attention } from "./attention.js";
import { rmsNorm } from "./rms-norm.js";
import { rotaryEmbedding } from "./rotary-embedding.js";

/** x · σ(α x) */
function swish(step: Step): ValueId {
  const x = operand(step, 0);
  const alpha = step.attributes.float("alpha", 1);
  const inner = alpha === 1 ? x : step.add("Mul", [x, step.float("alpha", [alpha], [])]);
  return step.add("Mul", [x, step.add("Sigmoid", [inner])]);
}

/** Scaled to a root mean square of 1, then by γ. */
function unitRms(step: Step): void {
  const epsilon = step.attributes.float("epsilon", 1e-5);
  step.replaceBy(rmsNorm(step, operand(step, 0), operand(step, 1), epsilon));
}

/** Operators that came after opset 21, in its words. `to` is the version that brought them. */
export const newerOperators: readonly Adapter[] = [
  ...adapter("Attention", 23, attention),
  ...adapter("RMSNormalization", 23, unitRms),
  ...adapter("RotaryEmbedding", 23, rotaryEmbedding),
  ...adapter("Swish", 24, (step) => step.replaceBy(swish(step))),
  ...adapter("SwiGLU", 28, (step) =>
    step.replaceBy(step.add("Mul", [swish(step), operand(step, 1)])),
  ),
];
