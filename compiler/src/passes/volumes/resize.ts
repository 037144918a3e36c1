import { isStatic, type ValueId } from "../../ir/index.js";
import { unknownSizes } from "../../ops/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { reshaped, volumeOf } from "./volume.js";

/** Between places an axis at a time is looked up: first in each frame, then between frames. */
export function resize(step: Step): void {
  const { attributes, graph } = step;
  const [batch, channels, frames, rows, columns] = volumeOf(step, 0);
  const [output] = step.node.outputs;
  const type = output === null || output === undefined ? undefined : graph.value(output).type;
  const made = type?.kind === "tensor" ? type.shape : undefined;
  if (made === undefined || !isStatic(made)) return step.refuse(unknownSizes);
  const [, , long = 0, height = 0, width = 0] = made;
  if (made[0] !== batch || made[1] !== channels) return step.refuse("it resizes batch or channels");
  if (
    attributes.has("axes") ||
    attributes.string("keep_aspect_ratio_policy", "stretch") !== "stretch"
  )
    return step.refuse(
      "sizes of some axes alone, or in proportion, are not compiled over three axes",
    );
  if (attributes.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize")
    return step.refuse("regions are not compiled");
  const scales = graph.constant(step.input(2))?.data;
  if (step.input(3) === undefined && !(scales instanceof Float32Array && scales.length === 5))
    return step.refuse("its scales are not constant");
  const [, , deep, down, across] = scales instanceof Float32Array ? scales : [];
  const own = Object.fromEntries(step.node.attributes);
  const over = (
    x: ValueId,
    dims: readonly number[],
    sizes: readonly number[],
    by: readonly (number | undefined)[],
  ) => {
    const flat = reshaped(step, x, dims);
    const wanted =
      step.input(3) === undefined
        ? [step.float("scales", [1, 1, ...by.map((scale) => scale ?? 1)])]
        : [null, step.int64("sizes", [...dims.slice(0, 2), ...sizes])];
    return step.add("Resize", [flat, null, ...wanted], own);
  };
  const flat = over(
    operand(step, 0),
    [batch, channels * frames, rows, columns],
    [height, width],
    [down, across],
  );
  const area = height * width;
  const whole = over(flat, [batch, channels, frames, area], [long, area], [deep, 1]);
  step.replaceBy(reshaped(step, whole, made));
}
