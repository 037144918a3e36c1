import { elementCount } from "@pare/runtime/format";
import { attribute, isStatic, shapeOf, type ValueId } from "../../ir/index.js";
import { isMoving, placesOf, windowAxes } from "../../ops/families/window.js";
import { unknownSizes } from "../../ops/index.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { tapWeights } from "../spatial/blocks.js";
import { reshaped } from "../volumes/volume.js";

const { int, ints } = attribute;

/** Each place of a window is a node or two. */
const mostTaps = 256;
/** Of a transposed one each has a channel with a window of its own, which is zeros but for one. */
const mostScattered = 64;

/**
 * Conv whose weights a run computes, as of a tracker that looks for one part of a picture in another: what the window
 * sees at each place lies side by side, channels last, and is multiplied by them. Where each channel has a map of its own
 * what it sees is multiplied as it lies, and added.
 */
export function convolveByProduct(step: Step): void {
  const [batch = 0, channels = 0, ...places] = sizesOf(step, 0);
  const [maps = 0, own = 0, ...window] = sizesOf(step, 1);
  const group = step.attributes.int("group", 1);
  const axes = windowAxes(places, window, step.attributes);
  if (own * group !== channels || maps % group !== 0 || window.length !== places.length)
    return step.refuse("its operands do not fit");
  if (!axes.every(isMoving)) return step.refuse("its window does not fit");
  if (elementCount(window) > mostTaps)
    return step.refuse(`its computed window has more than ${mostTaps} places`);
  const taps = placesOf(window);
  const [before, after] = [axes.map((axis) => Number(axis.before)), axes.map((axis) => Number(axis.after))]; // prettier-ignore
  const pads = [0, ...before, 0, 0, ...after, 0];
  if (pads.some((count) => count < 0)) return step.refuse("negative pads are not compiled");
  const spatial = places.map((_, axis) => axis + 1);
  const x = step.add("Transpose", [operand(step, 0)], { perm: ints(channelsLast(places.length)) });
  const isPadded = pads.some((count) => count > 0);
  const padded = isPadded ? step.add("Pad", [x, step.int64("pads", pads)]) : x;
  const outputs = axes.map(({ output }) => Number(output));
  const seen = taps.map((tap) => {
    const starts = axes.map(({ dilation }, axis) => (tap[axis] ?? 0) * dilation);
    return step.add("Slice", [
      padded,
      step.int64("starts", starts),
      step.int64(
        "ends",
        axes.map(
          ({ stride }, axis) => (starts[axis] ?? 0) + ((outputs[axis] ?? 1) - 1) * stride + 1,
        ),
      ),
      step.int64("axes", spatial),
      step.int64(
        "steps",
        axes.map(({ stride }) => stride),
      ),
    ]);
  });
  const y =
    own === 1 && maps === group
      ? weighed(step, seen, maps)
      : multiplied(step, seen, { batch, outputs, group, own, maps });
  const bias = step.input(2);
  const whole = bias === undefined ? y : step.add("Add", [y, bias]);
  step.replaceBy(
    step.add("Transpose", [whole], { perm: ints([0, spatial.length + 1, ...spatial]) }),
  );
}

/** @param seen at each of the window's places, [batch, places, channels] */
function weighed(step: Step, seen: readonly ValueId[], maps: number): ValueId {
  const flat = reshaped(step, operand(step, 1), [maps, seen.length]);
  const rows = step.split(
    step.add("Transpose", [flat], { perm: ints([1, 0]) }),
    seen.map(() => 1),
    0,
  );
  const [first, ...others] = seen.map((each, at) =>
    step.add("Mul", [each, rows[at] ?? step.refuse(unknownSizes)]),
  );
  if (first === undefined) return step.refuse(unknownSizes);
  return others.reduce((sum, each) => step.add("Add", [sum, each]), first);
}

interface Groups {
  readonly batch: number;
  readonly outputs: readonly number[];
  readonly group: number;
  /** Channels of one group. */
  readonly own: number;
  readonly maps: number;
}

function multiplied(
  step: Step,
  seen: readonly ValueId[],
  { batch, outputs, group, own, maps }: Groups,
): ValueId {
  const count = elementCount(outputs);
  const per = maps / group;
  const depth = seen.length * own;
  const joined = step.add(
    "Concat",
    seen.map((each) => reshaped(step, each, [batch, count, group, own])),
    { axis: int(3) },
  );
  const weights = step.add(
    "Transpose",
    [reshaped(step, operand(step, 1), [group, per, own, seen.length])],
    { perm: ints([0, 3, 2, 1]) },
  );
  const product = step.add("MatMul", [
    byGroup(step, joined, [batch, count, group, depth]),
    reshaped(step, weights, [group, depth, per]),
  ]);
  const together = step.add("Transpose", [product], { perm: ints([0, 2, 1, 3]) });
  return reshaped(step, together, [batch, ...outputs, maps]);
}

/** Groups before places. */
function byGroup(step: Step, x: ValueId, dims: readonly number[]): ValueId {
  return step.add("Transpose", [reshaped(step, x, dims)], { perm: ints([0, 2, 1, 3]) });
}

/**
 * ConvTranspose whose weights a run computes: a product gives what each place adds to each of the window's, and a
 * transposed convolution, in which each of those is a channel that lands in one place, adds it there.
 */
export function scatterProduct(step: Step): void {
  const { graph, node, attributes } = step;
  const [batch = 0, channels = 0, ...places] = sizesOf(step, 0);
  const [depth = 0, per = 0, ...window] = sizesOf(step, 1);
  const group = attributes.int("group", 1);
  const shape = shapeOf(graph, node.outputs[0]);
  if (shape === undefined || !isStatic(shape)) return step.refuse(unknownSizes);
  const own = channels / group;
  const taps = elementCount(window);
  if (depth !== channels || channels % group !== 0 || window.length !== places.length)
    return step.refuse("its operands do not fit");
  if (taps > mostScattered)
    return step.refuse(`its computed window has more than ${mostScattered} places`);
  const count = elementCount(places);
  const x = step.add("Transpose", [operand(step, 0)], { perm: ints(channelsLast(places.length)) });
  const product = step.add("MatMul", [
    byGroup(step, x, [batch, count, group, own]),
    reshaped(step, operand(step, 1), [group, own, per * taps]),
  ]);
  const turned = step.add("Transpose", [product], { perm: ints([0, 1, 3, 2]) });
  const scattered = step.add(
    "ConvTranspose",
    [reshaped(step, turned, [batch * group * per, taps, ...places]), tapWeights(step, window)],
    { ...Object.fromEntries(node.attributes), group: int(1) },
  );
  const y = reshaped(step, scattered, shape);
  step.replaceBy(biased(step, y, places.length));
}

/** A window that is moved as it is, and a bias that a run computes. */
export function addBias(step: Step): void {
  const { node } = step;
  const inputs = [operand(step, 0), operand(step, 1)];
  const y = step.add(node.op, inputs, Object.fromEntries(node.attributes));
  step.replaceBy(biased(step, y, sizesOf(step, 0).length - 2));
}

function biased(step: Step, y: ValueId, spatial: number): ValueId {
  const bias = step.input(2);
  if (bias === undefined) return y;
  const dims = [elementCount(sizesOf(step, 2)), ...Array.from({ length: spatial }, () => 1)];
  return step.add("Add", [y, reshaped(step, bias, dims)]);
}

function channelsLast(spatial: number): readonly number[] {
  return [0, ...Array.from({ length: spatial }, (_, axis) => axis + 2), 1];
}
