import { attribute, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { rmsNorm, unitRms } from "../opset/rms-norm.js";

/** What onnxruntime adds to variances where a node does not say. */
const least = 1e-12;

/** Two branches' sum, the second's bias included, brought to mean 0 and variance 1; the sum is a result as well. */
function skipLayerNorm(step: Step): void {
  const sum = skipped(step, 4);
  step.replaceBy(layerNorm(step, sum, operand(step, 2), step.input(3)), null, null, sum);
}

/** As `skipLayerNorm`, brought to a root mean square of 1. */
function skipRmsNorm(step: Step): void {
  const sum = skipped(step, 3);
  const epsilon = step.attributes.float("epsilon", least);
  step.replaceBy(rmsNorm(step, sum, 2, epsilon), null, null, sum);
}

function skipped(step: Step, bias: number): ValueId {
  const [x, added] = [operand(step, 0), step.input(bias)];
  const biased = added === undefined ? x : step.add("Add", [x, added]);
  return step.add("Add", [biased, operand(step, 1)]);
}

/** As ONNX defines it, by deviations instead of the difference of squares, which cancels. */
function meanVariance(step: Step): void {
  const axes = step.int64("axes", step.attributes.ints("axes") ?? [0, 2, 3]);
  const x = operand(step, 0);
  const deviation = step.add("Sub", [x, step.add("ReduceMean", [x, axes])]);
  const squares = step.add("Mul", [deviation, deviation]);
  const spread = step.add("Sqrt", [step.add("ReduceMean", [squares, axes])]);
  const divisor = step.add("Add", [spread, step.float("least", [1e-9], [])]);
  step.replaceBy(step.add("Div", [deviation, divisor]));
}

/** Along the last axis. */
export function layerNorm(
  step: Step,
  x: ValueId,
  scale: ValueId,
  shift: ValueId | undefined,
): ValueId {
  const epsilon = attribute.float(step.attributes.float("epsilon", least));
  const inputs = [x, scale, ...(shift === undefined ? [] : [shift])];
  return step.add("LayerNormalization", inputs, { axis: attribute.int(-1), epsilon });
}

export const normalizationWords: Readonly<Record<string, (step: Step) => void>> = {
  MeanVarianceNormalization: meanVariance,
  SimplifiedLayerNormalization: unitRms,
  "com.microsoft::SkipLayerNormalization": skipLayerNorm,
  "com.microsoft::SkipSimplifiedLayerNormalization": skipRmsNorm,
};
