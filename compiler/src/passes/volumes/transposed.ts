import { attribute, type Attributes, type ValueId } from "../../ir/index.js";
import { unknownSizes } from "../../ops/index.js";
import { type Transposed, transposedAxes } from "../../ops/families/convolution.js";
import { operand, type Step } from "../opset/adapter.js";
import { asStored, mostDeep, reshaped, type Volume, volumeOf } from "./volume.js";

const { int, ints } = attribute;

/**
 * A transposed convolution over three axes is one over two of frames, with a map for each place of the window along the depth:
 * [batch, depth, maps, places, rows, columns]. Each place's frames are then as far apart as its strides, and are added where they
 * meet.
 */
export function convolveTransposed(step: Step): void {
  const [batch, channels, frames, rows, columns] = volumeOf(step, 0);
  const [, own, deep, high, wide] = volumeOf(step, 1);
  if (deep > mostDeep) return step.refuse(`its window is deeper than ${mostDeep}`);
  const group = step.attributes.int("group", 1);
  const maps = own * group;
  const found = transposedAxes([frames, rows, columns], [deep, high, wide], step.attributes);
  const [depth, down, across] = found ?? [];
  if (depth === undefined || down === undefined || across === undefined)
    return step.refuse(unknownSizes);

  const turned = { perm: ints([0, 2, 1, 3, 4]) };
  const images = reshaped(step, step.add("Transpose", [operand(step, 0)], turned), [
    batch * frames,
    channels,
    rows,
    columns,
  ]);
  const flattened = (of: ValueId): ValueId =>
    reshaped(step, of, [channels, own * deep, high, wide]);
  const weights = asStored(step, operand(step, 1), flattened);
  const made = step.add("ConvTranspose", [images, weights], {
    ...windowOfTransposed([down, across], [rows, columns], [high, wide]),
    group: int(group),
  });
  const [height, width, long] = [down.output, across.output, depth.output].map(Number);
  if (height === undefined || width === undefined || long === undefined)
    return step.refuse(unknownSizes);
  const area = height * width;
  const places = reshaped(step, made, [batch, frames, maps, deep, area]);
  const joined = joinedAlong(step, places, [batch, frames, maps, deep, area], {
    ...depth,
    output: long,
  });
  const bias = step.input(2);
  const sum =
    bias === undefined ? joined : step.add("Add", [joined, reshaped(step, bias, [1, 1, maps, 1])]);
  const result = reshaped(step, sum, [batch, long, maps, height, width]);
  step.replaceBy(step.add("Transpose", [result], turned));
}

/** [batch, frames, maps, places, area] as [batch, depth, maps, area] */
function joinedAlong(
  step: Step,
  x: ValueId,
  [batch, frames, maps, deep, area]: Volume,
  { stride, dilation, before, output }: Transposed & { readonly output: number },
): ValueId {
  // Nothing meets: places stand side by side.
  if (deep === stride && dilation === 1 && before === 0 && output === frames * stride) {
    const apart = step.add("Transpose", [x], { perm: ints([0, 1, 3, 2, 4]) });
    return reshaped(step, apart, [batch, output, maps, area]);
  }
  const spread = frames * stride;
  const moved = Array.from({ length: deep }, (_, place) => place).flatMap((place) => {
    const first = place * dilation - before;
    const [from, to] = [Math.max(0, -first), Math.min(spread, output - first)];
    if (from >= to) return [];
    const bounds = [place, place + 1, 3].map((bound) => step.int64("bound", [bound]));
    const own = reshaped(step, step.add("Slice", [x, ...bounds]), [batch, frames, 1, maps * area]);
    const gaps = step.int64("pads", [0, 0, 0, 0, 0, 0, stride - 1, 0]);
    const apart = stride === 1 ? own : step.add("Pad", [own, gaps]);
    const ends = [from, to, 1].map((bound) => step.int64("bound", [bound]));
    const kept = step.add("Slice", [reshaped(step, apart, [batch, spread, maps, area]), ...ends]);
    const start = Math.max(0, first);
    const around = [0, start, 0, 0, 0, output - start - (to - from), 0, 0];
    return [step.add("Pad", [kept, step.int64("pads", around)])];
  });
  const [one, ...others] = moved;
  if (one === undefined) return step.refuse("nothing of it is in its result");
  return others.reduce((sum, other) => step.add("Add", [sum, other]), one);
}

function windowOfTransposed(
  axes: readonly Transposed[],
  sizes: readonly number[],
  kernel: readonly number[],
): Attributes {
  // What lies beyond the last place of a window is more of the result, or is cut.
  const beyond = axes.map(({ stride, dilation, before, output }, axis) => {
    const span = ((kernel[axis] ?? 1) - 1) * dilation + 1;
    return stride * ((sizes[axis] ?? 1) - 1) + span - before - Number(output);
  });
  return {
    kernel_shape: ints(kernel),
    strides: ints(axes.map(({ stride }) => stride)),
    dilations: ints(axes.map(({ dilation }) => dilation)),
    pads: ints([...axes.map(({ before }) => before), ...beyond.map((cut) => Math.max(0, cut))]),
    output_padding: ints(beyond.map((cut) => Math.max(0, -cut))),
  };
}
