import { adapter, type Adapter, operand } from "./adapter.js";
import { attention } from "./attention.js";
import { unitRms } from "./rms-norm.js";
import { rotaryEmbedding } from "./rotary-embedding.js";
import { swish } from "./swish.js";

/** Operators that came after opset 21, in its words. `to` is the version that brought them. */
export const newerOperators: readonly Adapter[] = [
  ...adapter("Attention", 23, attention),
  ...adapter("RMSNormalization", 23, unitRms),
  ...adapter("RotaryEmbedding", 23, rotaryEmbedding),
  ...adapter("Swish", 24, (step) => step.replaceBy(swish(step, 1))),
  ...adapter("SwiGLU", 28, (step) =>
    step.replaceBy(step.add("Mul", [swish(step, 1), operand(step, 1)])),
  ),
];
