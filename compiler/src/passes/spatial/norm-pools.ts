import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import {
  isMoving,
  isRoundedUp,
  readsSameOtherwise,
  windowAxes,
} from "../../ops/families/window.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { reshaped } from "../volumes/volume.js";

const { int, ints } = attribute;

/** Larger ones are no pool that anybody has. */
const mostTaps = 2 ** 16;

/** GlobalLpPool: the p-norm over all but batch and channels. */
export function normOverAll(step: Step): void {
  const axes = sizesOf(step, 0).flatMap((_, axis) => (axis < 2 ? [] : [axis]));
  const sum = (x: ValueId): ValueId =>
    step.add("ReduceSum", [x, step.int64("axes", axes)], { keepdims: int(1) });
  normBy(step, sum);
}

/** LpPool: sums of powers by a convolution of each plane with ones, so that padding adds nothing. */
export function normOverWindow(step: Step): void {
  const { attributes } = step;
  const [batch = 0, channels = 0, ...places] = sizesOf(step, 0);
  const window = attributes.ints("kernel_shape") ?? step.refuse("its window is not known");
  const axes = windowAxes(places, window, attributes);
  if (isRoundedUp(attributes)) return step.refuse("it rounds its size up");
  if (window.length !== places.length || !axes.every(isMoving))
    return step.refuse("its window does not fit");
  const otherwise = readsSameOtherwise(axes, attributes, true);
  if (otherwise !== undefined) return step.refuse(otherwise);
  const taps = elementCount(window);
  if (taps > mostTaps) return step.refuse(`its window has more than ${mostTaps} places`);
  const ones = step.float32("ones", new Float32Array(taps).fill(1), [1, 1, ...window]);
  const { strides, dilations, pads, auto_pad: padding } = Object.fromEntries(step.node.attributes);
  const outputs = axes.map(({ output }) => Number(output));
  normBy(step, (x) => {
    const sums = step.add("Conv", [reshaped(step, x, [batch * channels, 1, ...places]), ones], {
      kernel_shape: ints(window),
      ...(strides && { strides }),
      ...(dilations && { dilations }),
      ...(pads && { pads }),
      ...(padding && { auto_pad: padding }),
    });
    return reshaped(step, sums, [batch, channels, ...outputs]);
  });
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
