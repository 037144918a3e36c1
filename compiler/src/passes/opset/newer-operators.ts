import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { adapter, type Adapter, operand, type Step } from "./adapter.js";
import { attention } from "./attention.js";
import { rotaryEmbedding } from "./rotary-embedding.js";

/** x · σ(α x) */
function swish(step: Step): ValueId {
  const x = operand(step, 0);
  const alpha = step.attributes.float("alpha", 1);
  const inner = alpha === 1 ? x : step.add("Mul", [x, step.float("alpha", [alpha], [])]);
  return step.add("Mul", [x, step.add("Sigmoid", [inner])]);
}

/** γ x / √(mean(x²) + ε), in float32 unless `stash_type` says otherwise. */
function rmsNorm(step: Step): void {
  const x = operand(step, 0);
  const axis = step.attributes.int("axis", -1);
  const rank = axis === -1 ? 1 : step.rank(0);
  if (rank === undefined) return step.refuse("the rank of its input is not known");
  if (axis < -rank || axis >= rank) return step.refuse(`it has no axis ${axis}`);
  const count = axis < 0 ? -axis : rank - axis;
  const axes = Array.from({ length: count }, (_, index) => index - count);
  const own = codeOfDtype(step.dtype(0) ?? step.refuse("the type of its input is not known"));
  const precision = step.attributes.int("stash_type", 1);
  const cast = (value: ValueId, to: number): ValueId =>
    precision === own ? value : step.add("Cast", [value], { to: attribute.int(to) });
  const wide = cast(x, precision);
  const mean = step.add("ReduceMean", [step.add("Mul", [wide, wide]), step.int64("axes", axes)]);
  const epsilon = cast(
    step.float("epsilon", [step.attributes.float("epsilon", 1e-5)], []),
    precision,
  );
  const spread = step.add("Sqrt", [step.add("Add", [mean, epsilon])]);
  const normal = cast(step.add("Div", [wide, spread]), own);
  step.replaceBy(step.add("Mul", [normal, operand(step, 1)]));
}

/** Operators that came after opset 21, in its words. `to` is the version that brought them. */
export const newerOperators: readonly Adapter[] = [
  ...adapter("Attention", 23, attention),
  ...adapter("RMSNormalization", 23, rmsNorm),
  ...adapter("RotaryEmbedding", 23, rotaryEmbedding),
  ...adapter("Swish", 24, (step) => step.replaceBy(swish(step))),
  ...adapter("SwiGLU", 28, (step) =>
    step.replaceBy(step.add("Mul", [swish(step), operand(step, 1)])),
  ),
];
