import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { isMoving, windowAxes } from "../../ops/families/window.js";
import { unknownSizes } from "../../ops/index.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { reshaped } from "../volumes/volume.js";

const { int, ints } = attribute;

/** Larger ones would take weights that no model has. */
const mostTaps = 1024;

/**
 * Col2Im: blocks that touch, and neither overlap nor leave anything out, are moved; others are added by a transposed convolution in
 * which each element of a block is a channel that lands in one place.
 */
export function joinBlocks(step: Step): void {
  const [batch = 0, deep = 0, blocks = 0] = sizesOf(step, 0);
  const image = step.graph.constant(step.input(1))?.numbers();
  const block = step.graph.constant(step.input(2))?.numbers();
  if (image === undefined || block === undefined) return step.refuse(unknownSizes);
  const axes = windowAxes(image, block, step.attributes);
  const outputs = axes.map(({ output }) => Number(output));
  const taps = elementCount(block);
  if (!axes.every(isMoving) || elementCount(outputs) !== blocks || deep % taps !== 0)
    return step.refuse("its blocks are not those of its image");
  if (taps > mostTaps) return step.refuse(`its blocks are larger than ${mostTaps}`);
  const channels = deep / taps;
  const x = operand(step, 0);
  const touching = axes.every(
    ({ size, stride, dilation, before, after, output }, axis) =>
      stride === block[axis] &&
      dilation === 1 &&
      before === 0 &&
      after === 0 &&
      Number(output) * stride === size,
  );
  if (touching) {
    const rank = block.length;
    const parts = reshaped(step, x, [batch, channels, ...block, ...outputs]);
    // Each axis of blocks before that within one.
    const perm = [0, 1, ...block.flatMap((_, axis) => [2 + rank + axis, 2 + axis])];
    const turned = step.add("Transpose", [parts], { perm: ints(perm) });
    return step.replaceBy(reshaped(step, turned, [batch, channels, ...image]));
  }
  const weights = tapWeights(step, block);
  const made = step.add(
    "ConvTranspose",
    [reshaped(step, x, [batch * channels, taps, ...outputs]), weights],
    {
      kernel_shape: ints(block),
      strides: ints(axes.map(({ stride }) => stride)),
      dilations: ints(axes.map(({ dilation }) => dilation)),
      pads: ints([
        ...axes.map(({ before }) => Number(before)),
        ...axes.map(({ after }) => Number(after)),
      ]),
      // What no block reaches.
      output_padding: ints(
        axes.map(({ size, kernel, stride, dilation, before, after, output }) => {
          const span = (Number(kernel) - 1) * dilation + 1;
          const reached = (Number(output) - 1) * stride + span - Number(before) - Number(after);
          return Number(size) - reached;
        }),
      ),
      group: int(1),
    },
  );
  step.replaceBy(reshaped(step, made, [batch, channels, ...image]));
}

/** Of a transposed convolution whose channels land in one place of its window each. */
export function tapWeights(step: Step, window: readonly number[]): ValueId {
  const taps = elementCount(window);
  const identity = new Float32Array(taps * taps);
  for (let at = 0; at < taps; at += 1) identity[at * taps + at] = 1;
  return step.float32("places", identity, [taps, 1, ...window]);
}
