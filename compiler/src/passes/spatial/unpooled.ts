import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { stridesOf } from "../../ops/families/indexing.js";
import { unpooledSizes } from "../../ops/families/spatial.js";
import { isMoving, placesOf, windowAxes } from "../../ops/families/window.js";
import { unknownSizes } from "../../ops/index.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { reshaped } from "../volumes/volume.js";
import { demandSizes } from "./sizes.js";

const { int } = attribute;

/** Each place of a window is a copy of what was pooled. */
const mostTaps = 64;
/** Where windows begin is written down along each axis. */
const mostPlaces = 2 ** 20;

/**
 * MaxPool with the places of the largest, counted through the whole tensor: which of a window's places it is (the first, where
 * several are), and where that lies. The largest themselves are left to a pool that does not say.
 */
export function poolWithPlaces(step: Step): void {
  const shape = sizesOf(step, 0);
  if (step.dtype(0) !== "float32") return step.refuse("places of integers are not compiled");
  const { attributes } = step;
  const kernel = attributes.ints("kernel_shape") ?? [];
  const axes = windowAxes(shape.slice(2), kernel, attributes);
  if (kernel.length !== shape.length - 2 || !axes.every(isMoving))
    return step.refuse("its window does not fit");
  if (attributes.int("storage_order", 0) === 1)
    return step.refuse("its places are counted by columns");
  if (elementCount(kernel) > mostTaps) return step.refuse(`its window is larger than ${mostTaps}`);
  const taps = placesOf(kernel);
  const outputs = axes.map(({ output }) => Number(output));
  if ([...shape.slice(0, 2), ...outputs].some((count) => count > mostPlaces))
    return step.refuse(`an axis has more than ${mostPlaces} windows`);
  const before = axes.map((axis) => Number(axis.before));
  // Beyond the image, where a last window may reach too.
  const after = axes.map(({ size, stride, dilation }, axis) => {
    const last = ((outputs[axis] ?? 1) - 1) * stride + ((kernel[axis] ?? 1) - 1) * dilation + 1;
    return Math.max(0, last - Number(size) - (before[axis] ?? 0));
  });
  if (before.some((count) => count < 0)) return step.refuse("negative pads are not compiled");
  const spatial = step.int64(
    "axes",
    axes.map((_, axis) => axis + 2),
  );
  const pads = step.int64("pads", [...before, ...after]);
  const x = operand(step, 0);
  const padded = step.add("Pad", [x, pads, step.float("least", [-Infinity], []), spatial]);
  const strides = step.int64(
    "strides",
    axes.map(({ stride }) => stride),
  );
  const under = taps.map((tap): ValueId => {
    const starts = tap.map((at, axis) => at * (axes[axis]?.dilation ?? 1));
    const ends = starts.map(
      (start, axis) => start + ((outputs[axis] ?? 1) - 1) * (axes[axis]?.stride ?? 1) + 1,
    );
    const taken = [step.int64("starts", starts), step.int64("ends", ends), spatial, strides];
    return reshaped(step, step.add("Slice", [padded, ...taken]), [
      ...shape.slice(0, 2),
      1,
      ...outputs,
    ]);
  });
  const all = step.add("Concat", under, { axis: int(2) });
  const which = step.add("ArgMax", [all], { axis: int(2), keepdims: int(0) });

  const steps = stridesOf(shape);
  const within = (place: readonly number[]): number =>
    place.reduce((sum, at, axis) => sum + at * (steps[axis + 2] ?? 1), 0);
  const offsets = taps.map((tap) =>
    within(tap.map((at, axis) => at * (axes[axis]?.dilation ?? 1))),
  );
  const inWindow = step.add("Gather", [step.int64("offsets", offsets), which]);
  const begins = [...shape.slice(0, 2), ...outputs].map((count, axis): ValueId => {
    const { stride = 1 } = axes[axis - 2] ?? {};
    const first = axis < 2 ? 0 : -(before[axis - 2] ?? 0);
    const places = Array.from(
      { length: count },
      (_, at) => (first + at * stride) * (steps[axis] ?? 1),
    );
    return step.int64(
      "begins",
      places,
      shape.map((__, other) => (other === axis ? count : 1)),
    );
  });
  const places = begins.reduce((sum, begin) => step.add("Add", [sum, begin]), inWindow);
  const { storage_order: _, ...window } = Object.fromEntries(step.node.attributes);
  step.replaceBy(step.add("MaxPool", [x], window), places);
}

/** MaxUnpool: zeros, and what was found where it was. */
export function unpool(step: Step): void {
  const shape = sizesOf(step, 0);
  demandSizes(step, 1, shape);
  const sizes = unpooledSizes(shape.slice(2), step.attributes).map(Number);
  const dims = [...shape.slice(0, 2), ...sizes];
  const given = step.input(2);
  const wanted = given === undefined ? dims : step.graph.constant(given)?.numbers();
  if (wanted === undefined) return step.refuse(unknownSizes);
  if (wanted.length !== dims.length || wanted.some((size, axis) => size !== dims[axis]))
    return step.refuse("its output_shape is another than its window gives");
  if (sizes.some((size) => size < 1)) return step.refuse("its window does not fit");
  const flat = (input: number): ValueId =>
    reshaped(step, operand(step, input), [elementCount(shape)]);
  const count = step.int64("count", [elementCount(dims)]);
  const zeros = step.add("Expand", [step.float("zero", [0], []), count]);
  const found = step.add("ScatterElements", [zeros, flat(1), flat(0)], { axis: int(0) });
  step.replaceBy(reshaped(step, found, dims));
}
