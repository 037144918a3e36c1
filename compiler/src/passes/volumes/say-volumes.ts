import {
  attribute,
  type Attributes,
  type Graph,
  isStatic,
  type Node,
  type NodeId,
  type ValueId,
} from "../../ir/index.js";
import { unmetDemand, unknownSizes } from "../../ops/index.js";
import { type Transposed, transposedAxes } from "../../ops/families/convolution.js";
import { isMoving, type WindowAxis, windowAxes } from "../../ops/families/window.js";
import { operand, type Step } from "../opset/adapter.js";
import { sayNodes, type Words } from "../opset/say.js";

const { int, ints } = attribute;

/** Batch, channels, depth, rows, columns. */
type Volume = readonly [number, number, number, number, number];

/** Depth, rows, columns: numbers all. */
type Windows = readonly [depth: Window, rows: Window, columns: Window];
type Window = { readonly [Field in keyof WindowAxis]: number };

/** Each place of a window along the depth is a copy of the frames that it takes. */
const mostDeep = 64;

/**
 * A convolution over three axes is one over two of frames: a result's frame is that of all the frames under its window, the
 * channels of one behind those of another. So x as [batch, depth, group, channels, rows, columns] is taken once for each
 * place along the depth, and joined along the channels of a group; its weights are turned alike.
 */
function convolve(step: Step): void {
  const [batch, channels, , rows, columns] = volumeOf(step, 0);
  const [maps, own, deep, ...plane] = volumeOf(step, 1);
  const group = step.attributes.int("group", 1);
  const windows = windowsOf(step, [deep, ...plane]);
  const [depth, ...flat] = windows;
  if (deep > mostDeep) return step.refuse(`its window is deeper than ${mostDeep}`);
  const turned = { perm: ints([0, 2, 1, 3, 4]) };
  const reshape = (x: ValueId, dims: readonly number[]): ValueId =>
    step.add("Reshape", [x, step.int64("shape", dims)]);

  const frames = padded(step, step.add("Transpose", [operand(step, 0)], turned), depth);
  const under = Array.from({ length: deep }, (_, place) => {
    const first = place * depth.dilation;
    const bounds = [first, first + (depth.output - 1) * depth.stride + 1, 1, depth.stride];
    const taken = bounds.map((bound) => step.int64("bound", [bound]));
    const dims = [batch, depth.output, group, own, rows, columns];
    return reshape(step.add("Slice", [frames, ...taken]), dims);
  });
  const all = step.add("Concat", under, { axis: int(3) });
  const images = reshape(all, [batch * depth.output, channels * deep, rows, columns]);
  const flattened = (of: ValueId): ValueId =>
    reshape(step.add("Transpose", [of], turned), [maps, own * deep, ...plane]);
  const weights = asStored(step, operand(step, 1), flattened);
  const bias = step.input(2);
  const made = step.add("Conv", [images, weights, ...(bias === undefined ? [] : [bias])], {
    ...windowOf(flat),
    group: int(group),
  });
  const [down, across] = flat;
  const result = reshape(made, [batch, depth.output, maps, down.output, across.output]);
  step.replaceBy(step.add("Transpose", [result], turned));
}

/**
 * A transposed convolution over three axes is one over two of frames, with a map for each place of the window along the depth:
 * [batch, depth, maps, places, rows, columns]. Each place's frames are then as far apart as its strides, and are added where they
 * meet.
 */
function convolveTransposed(step: Step): void {
  const [batch, channels, frames, rows, columns] = volumeOf(step, 0);
  const [, own, deep, high, wide] = volumeOf(step, 1);
  if (deep > mostDeep) return step.refuse(`its window is deeper than ${mostDeep}`);
  const group = step.attributes.int("group", 1);
  const maps = own * group;
  const found = transposedAxes([frames, rows, columns], [deep, high, wide], step.attributes);
  const [depth, down, across] = found ?? [];
  if (depth === undefined || down === undefined || across === undefined)
    return step.refuse(unknownSizes);
  const reshape = (x: ValueId, dims: readonly number[]): ValueId =>
    step.add("Reshape", [x, step.int64("shape", dims)]);

  const turned = { perm: ints([0, 2, 1, 3, 4]) };
  const images = reshape(step.add("Transpose", [operand(step, 0)], turned), [
    batch * frames,
    channels,
    rows,
    columns,
  ]);
  const flattened = (of: ValueId): ValueId => reshape(of, [channels, own * deep, high, wide]);
  const weights = asStored(step, operand(step, 1), flattened);
  const made = step.add("ConvTranspose", [images, weights], {
    ...windowOfTransposed([down, across], [rows, columns], [high, wide]),
    group: int(group),
  });
  const [height, width, long] = [down.output, across.output, depth.output].map(Number);
  if (height === undefined || width === undefined || long === undefined)
    return step.refuse(unknownSizes);
  const area = height * width;
  const places = reshape(made, [batch, frames, maps, deep, area]);
  const joined = joinedAlong(step, places, [batch, frames, maps, deep, area], {
    ...depth,
    output: long,
  });
  const bias = step.input(2);
  const sum =
    bias === undefined ? joined : step.add("Add", [joined, reshape(bias, [1, 1, maps, 1])]);
  const result = reshape(sum, [batch, long, maps, height, width]);
  step.replaceBy(step.add("Transpose", [result], turned));
}

/** [batch, frames, maps, places, area] as [batch, depth, maps, area] */
function joinedAlong(
  step: Step,
  x: ValueId,
  [batch, frames, maps, deep, area]: Volume,
  { stride, dilation, before, output }: Transposed & { readonly output: number },
): ValueId {
  const reshape = (of: ValueId, dims: readonly number[]): ValueId =>
    step.add("Reshape", [of, step.int64("shape", dims)]);
  // Nothing meets: places stand side by side.
  if (deep === stride && dilation === 1 && before === 0 && output === frames * stride) {
    const apart = step.add("Transpose", [x], { perm: ints([0, 1, 3, 2, 4]) });
    return reshape(apart, [batch, output, maps, area]);
  }
  const spread = frames * stride;
  const moved = Array.from({ length: deep }, (_, place) => place).flatMap((place) => {
    const first = place * dilation - before;
    const [from, to] = [Math.max(0, -first), Math.min(spread, output - first)];
    if (from >= to) return [];
    const bounds = [place, place + 1, 3].map((bound) => step.int64("bound", [bound]));
    const own = reshape(step.add("Slice", [x, ...bounds]), [batch, frames, 1, maps * area]);
    const gaps = step.int64("pads", [0, 0, 0, 0, 0, 0, stride - 1, 0]);
    const apart = stride === 1 ? own : step.add("Pad", [own, gaps]);
    const ends = [from, to, 1].map((bound) => step.int64("bound", [bound]));
    const kept = step.add("Slice", [reshape(apart, [batch, spread, maps, area]), ...ends]);
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

/** Weights that are stored as integers are moved as those: their scales are of maps, which stay where they are. */
function asStored(step: Step, weights: ValueId, move: (of: ValueId) => ValueId): ValueId {
  const { graph } = step;
  const { producer } = graph.value(weights);
  const stored = producer === null ? undefined : graph.node(producer);
  const [integers, scale, ...zero] = stored?.inputs ?? [];
  if (stored?.op !== "DequantizeLinear" || stored.domain !== "" || !integers || !scale)
    return move(weights);
  const { type } = graph.value(scale);
  const isWhole = type.kind === "tensor" && (type.shape ?? [0]).every((size) => size === 1);
  const { axis, block_size: block } = Object.fromEntries(stored.attributes);
  const isByMap = axis?.type === "int" && axis.value === 0n;
  if (block !== undefined || !(isWhole || isByMap)) return move(weights);
  return step.add("DequantizeLinear", [move(integers), scale, ...zero], { axis: int(0) });
}

/** Of what is in a box the largest is that of each frame's, and the mean too: all its frames have as many under them. */
function pool(step: Step): void {
  if ((step.node.outputs[1] ?? null) !== null)
    return step.refuse("places of the largest are not compiled");
  const [batch, channels, frames, rows, columns] = volumeOf(step, 0);
  const kernel = step.attributes.ints("kernel_shape") ?? [];
  const [depth, down, across] = windowsOf(step, kernel);
  const over = (x: ValueId, dims: readonly number[], windows: readonly Window[]): ValueId =>
    step.add(step.node.op, [step.add("Reshape", [x, step.int64("shape", dims)])], {
      ...windowOf(windows),
      ...same(step, "ceil_mode"),
      ...same(step, "count_include_pad"),
    });
  const flat = over(operand(step, 0), [batch, channels * frames, rows, columns], [down, across]);
  const places = down.output * across.output;
  const deep = over(flat, [batch, channels, frames, places], [depth, single(places)]);
  const dims = [batch, channels, depth.output, down.output, across.output];
  step.replaceBy(step.add("Reshape", [deep, step.int64("shape", dims)]));
}

/** Between places an axis at a time is looked up: first in each frame, then between frames. */
function resize(step: Step): void {
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
    const flat = step.add("Reshape", [x, step.int64("shape", dims)]);
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
  step.replaceBy(step.add("Reshape", [whole, step.int64("shape", made)]));
}

/** Over all there is, whatever its axes are. */
function poolAll(step: Step): void {
  const [batch, channels, frames, rows, columns] = volumeOf(step, 0);
  const flat = step.int64("shape", [batch, channels, frames * rows, columns]);
  const made = step.add(step.node.op, [step.add("Reshape", [operand(step, 0), flat])]);
  step.replaceBy(step.add("Reshape", [made, step.int64("shape", [batch, channels, 1, 1, 1])]));
}

function volumeOf(step: Step, input: number): Volume {
  const shape = step.shape(input);
  if (shape === undefined || !isStatic(shape)) return step.refuse(unknownSizes);
  const [first, second, depth, rows, columns, ...others] = shape;
  if (columns === undefined || others.length > 0) return step.refuse("it has not three axes");
  return [first ?? 0, second ?? 0, depth ?? 0, rows ?? 0, columns];
}

function windowsOf(step: Step, kernel: readonly number[]): Windows {
  const axes = windowAxes(volumeOf(step, 0).slice(2), kernel, step.attributes);
  if (!axes.every(isMoving)) return step.refuse("its window does not fit");
  const [depth, down, across] = axes.map(
    ({ size, kernel: span, stride, dilation, before, after, output }): Window => ({
      size: Number(size),
      kernel: Number(span),
      stride,
      dilation,
      before: Number(before),
      after: Number(after),
      output: Number(output),
    }),
  );
  if (depth === undefined || down === undefined || across === undefined)
    return step.refuse("it has not three axes");
  if ([depth, down, across].some(({ before, after }) => before < 0 || after < 0))
    return step.refuse("negative pads are not compiled");
  return [depth, down, across];
}

/** A window of one element, which takes every place. */
function single(size: number): Window {
  return { size, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, output: size };
}

function windowOf(windows: readonly Window[]): Attributes {
  const of = (field: keyof Window): readonly number[] => windows.map((window) => window[field]);
  return {
    kernel_shape: ints(of("kernel")),
    strides: ints(of("stride")),
    dilations: ints(of("dilation")),
    pads: ints([...of("before"), ...of("after")]),
  };
}

/** Pads that SAME asks for leave no last, partial window. */
function same(step: Step, name: "ceil_mode" | "count_include_pad"): Attributes {
  const isSame = step.attributes.string("auto_pad", "NOTSET").startsWith("SAME");
  const value = step.attributes.int(name);
  return value === undefined || (isSame && name === "ceil_mode") ? {} : { [name]: int(value) };
}

/** Frames [batch, depth, channels, rows, columns] between frames of zeros. */
function padded(step: Step, frames: ValueId, { before, after }: Window): ValueId {
  if (before + after === 0) return frames;
  const pads = [0, before, 0, 0, 0, 0, after, 0, 0, 0];
  return step.add("Pad", [frames, step.int64("pads", pads)]);
}

const words: Words = new Map(
  Object.entries({
    Conv: convolve,
    ConvTranspose: convolveTransposed,
    MaxPool: pool,
    AveragePool: pool,
    GlobalAveragePool: poolAll,
    GlobalMaxPool: poolAll,
    Resize: resize,
  }),
);

/** Their keys. */
export const overThreeAxes: readonly string[] = [...words.keys()];

/**
 * Says convolutions, pools and resizes over three axes in those over two. The graph is in its normal form, its sizes are fixed.
 * @returns of each node that stays: why
 */
export function sayVolumes(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-volumes", words, isOverThree);
}

/** What does not meet its operator's demands stays as it is, and is refused by them. */
function isOverThree(graph: Graph, node: Node): boolean {
  const [x] = node.inputs;
  if (x === undefined || x === null) return false;
  const { type } = graph.value(x);
  const isVolume = type.kind === "tensor" && type.shape?.length === 5;
  return isVolume && unmetDemand(graph, node) === undefined;
}
