import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { isRoundedUp } from "../../ops/families/window.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";

const { int, ints } = attribute;

/** GlobalLpPool: the p-norm over all but batch and channels. */
export function normOverAll(step: Step): void {
  const axes = sizesOf(step, 0).flatMap((_, axis) => (axis < 2 ? [] : [axis]));
  const sum = (x: ValueId): ValueId =>
    step.add("ReduceSum", [x, step.int64("axes", axes)], { keepdims: int(1) });
  normBy(step, sum);
}

/** LpPool: sums of powers by a convolution of each channel with ones, so that padding adds nothing. */
export function normOverWindow(step: Step): void {
  const { attributes } = step;
  const channels = sizesOf(step, 0)[1] ?? 0;
  const window = attributes.ints("kernel_shape") ?? step.refuse("its window is not known");
  if (isRoundedUp(attributes)) return step.refuse("it rounds its size up");
  const ones = new Float32Array(channels * elementCount(window)).fill(1);
  const weights = step.float32("ones", ones, [channels, 1, ...window]);
  const { strides, dilations, pads, auto_pad: padding } = Object.fromEntries(step.node.attributes);
  normBy(step, (x) =>
    step.add("Conv", [x, weights], {
      kernel_shape: ints(window),
      group: int(channels),
      ...(strides && { strides }),
      ...(dilations && { dilations }),
      ...(pads && { pads }),
      ...(padding && { auto_pad: padding }),
    }),
  );
}

/** (Σ |x|ᵖ)¹ᐟᵖ */
function normBy(step: Step, sum: (x: ValueId) => ValueId): void {
  const p = step.attributes.int("p", 2);
  const x = operand(step, 0);
  if (p < 1) return step.refuse("it is no norm");
  if (p === 1) return step.replaceBy(sum(step.add("Abs", [x])));
  if (p === 2) return step.replaceBy(step.add("Sqrt", [sum(step.add("Mul", [x, x]))]));
  const power = step.add("Pow", [step.add("Abs", [x]), step.float("p", [p], [])]);
  step.replaceBy(step.add("Pow", [sum(power), step.float("root", [1 / p], [])]));
}
