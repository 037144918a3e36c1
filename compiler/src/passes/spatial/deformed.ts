import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { unknownSizes } from "../../ops/index.js";
import { isMoving, placesOf, windowAxes } from "../../ops/families/window.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { asStored, reshaped } from "../volumes/volume.js";
import { demandSizes } from "./sizes.js";

/** Where taps begin is written down by rows and by columns. */
const mostPlaces = 2 ** 20;

/**
 * DeformConv: all that its taps see is sampled from a grid, [batch · offset groups, channels, taps · rows, columns], and weighed by
 * a convolution without a window whose channels are the taps of each. Offsets are pairs of rows and columns, each in its own measure.
 */
export function convolveDeformed(step: Step): void {
  const [shape, kernel] = [sizesOf(step, 0), sizesOf(step, 1)];
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
  const [maps = 0, depth = 0, ...window] = kernel;
  if (shape.length !== 4 || window.length !== 2) return step.refuse("it is not over two axes");
  const { attributes } = step;
  const group = attributes.int("group", 1);
  const groups = attributes.int("offset_group", 1);
  const [down, across] = windowAxes([height, width], window, attributes);
  if (down === undefined || across === undefined) return step.refuse(unknownSizes);
  const [rows, columns] = [Number(down.output), Number(across.output)];
  if (![down, across].every(isMoving)) return step.refuse("its window does not fit");
  if (elementCount(window) * Math.max(rows, columns) > mostPlaces)
    return step.refuse("its window takes more places than are compiled");
  const taps = placesOf(window);
  if (depth * group !== channels || channels % groups !== 0)
    return step.refuse("its operands do not fit");
  demandSizes(step, 2, [batch, groups * taps.length * 2, rows, columns]);

  const parts = batch * groups;
  const moved = reshaped(step, operand(step, 2), [parts, taps.length, 2, rows * columns]);
  const [vertical, horizontal] = step.split(moved, [1, 1], 2);
  if (vertical === undefined || horizontal === undefined) return step.refuse(unknownSizes);
  /** Where a tap is looked for along one axis, as GridSample counts: (2 · place + 1) / size − 1. */
  const along = (
    offset: ValueId,
    starts: readonly number[],
    dims: readonly number[],
    size: number,
  ): ValueId => {
    const places = reshaped(step, offset, [parts, taps.length, rows, columns]);
    const point = step.add("Add", [places, step.float32("places", starts, dims)]);
    const scaled = step.add("Mul", [point, step.float32("scale", [2 / size], [])]);
    const result = step.add("Add", [scaled, step.float32("edge", [1 / size - 1], [])]);
    return reshaped(step, result, [parts, taps.length * rows, columns, 1]);
  };
  const startsOf = (axis: typeof down, count: number, of: 0 | 1): number[] =>
    taps.flatMap((tap) =>
      Array.from(
        { length: count },
        (_, at) => at * axis.stride - Number(axis.before) + (tap[of] ?? 0) * axis.dilation,
      ),
    );
  const y = along(vertical, startsOf(down, rows, 0), [1, taps.length, rows, 1], height);
  const x = along(horizontal, startsOf(across, columns, 1), [1, taps.length, 1, columns], width);
  const grid = step.add("Concat", [x, y], { axis: attribute.int(-1) });
  const own = channels / groups;
  const images = reshaped(step, operand(step, 0), [parts, own, height, width]);
  const sampled = step.add("GridSample", [images, grid]);

  const mask = step.input(4);
  if (mask !== undefined) demandSizes(step, 4, [batch, groups * taps.length, rows, columns]);
  const area = taps.length * rows * columns;
  const weighed =
    mask === undefined
      ? sampled
      : step.add("Mul", [
          reshaped(step, sampled, [parts, own, area]),
          reshaped(step, mask, [parts, 1, area]),
        ]);
  const all = reshaped(step, weighed, [batch, channels * taps.length, rows, columns]);
  const weights = asStored(step, operand(step, 1), (of) =>
    reshaped(step, of, [maps, depth * taps.length, 1, 1]),
  );
  const bias = step.input(3);
  const inputs = [all, weights, ...(bias === undefined ? [] : [bias])];
  step.replaceBy(step.add("Conv", inputs, { group: attribute.int(group) }));
}
