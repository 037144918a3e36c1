import {
  attribute,
  type Attributes,
  type Graph,
  type Node,
  type NodeId,
  type ValueId,
} from "../../ir/index.js";
import { unmetDemand } from "../../ops/index.js";
import {
  isMoving,
  readsSameOtherwise,
  type WindowAxis,
  windowAxes,
} from "../../ops/families/window.js";
import { operand, type Step } from "../opset/adapter.js";
import { sayNodes, type Words } from "../opset/say.js";
import { resize } from "./resize.js";
import { convolveTransposed } from "./transposed.js";
import { asStored, mostDeep, reshaped, volumeOf } from "./volume.js";

const { int, ints } = attribute;

/** Depth, rows, columns: numbers all. */
type Windows = readonly [depth: Window, rows: Window, columns: Window];
type Window = { readonly [Field in keyof WindowAxis]: number };

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

  const frames = padded(step, step.add("Transpose", [operand(step, 0)], turned), depth);
  const under = Array.from({ length: deep }, (_, place) => {
    const first = place * depth.dilation;
    const bounds = [first, first + (depth.output - 1) * depth.stride + 1, 1, depth.stride];
    const taken = bounds.map((bound) => step.int64("bound", [bound]));
    const dims = [batch, depth.output, group, own, rows, columns];
    return reshaped(step, step.add("Slice", [frames, ...taken]), dims);
  });
  const all = step.add("Concat", under, { axis: int(3) });
  const images = reshaped(step, all, [batch * depth.output, channels * deep, rows, columns]);
  const flattened = (of: ValueId): ValueId =>
    reshaped(step, step.add("Transpose", [of], turned), [maps, own * deep, ...plane]);
  const weights = asStored(step, operand(step, 1), flattened);
  const bias = step.input(2);
  const made = step.add("Conv", [images, weights, ...(bias === undefined ? [] : [bias])], {
    ...windowOf(flat),
    group: int(group),
  });
  const [down, across] = flat;
  const result = reshaped(step, made, [batch, depth.output, maps, down.output, across.output]);
  step.replaceBy(step.add("Transpose", [result], turned));
}

/** Of what is in a box the largest is that of each frame's, and the mean too: all its frames have as many under them. */
function pool(step: Step): void {
  if ((step.node.outputs[1] ?? null) !== null)
    return step.refuse("places of the largest are not compiled");
  const [batch, channels, frames, rows, columns] = volumeOf(step, 0);
  const kernel = step.attributes.ints("kernel_shape") ?? [];
  const [depth, down, across] = windowsOf(step, kernel);
  const over = (x: ValueId, dims: readonly number[], windows: readonly Window[]): ValueId =>
    step.add(step.node.op, [reshaped(step, x, dims)], {
      ...windowOf(windows),
      ...same(step, "ceil_mode"),
      ...same(step, "count_include_pad"),
    });
  const flat = over(operand(step, 0), [batch, channels * frames, rows, columns], [down, across]);
  const places = down.output * across.output;
  const deep = over(flat, [batch, channels, frames, places], [depth, single(places)]);
  const dims = [batch, channels, depth.output, down.output, across.output];
  step.replaceBy(reshaped(step, deep, dims));
}

/** Over all there is, whatever its axes are. */
function poolAll(step: Step): void {
  const [batch, channels, frames, rows, columns] = volumeOf(step, 0);
  const flat = reshaped(step, operand(step, 0), [batch, channels, frames * rows, columns]);
  step.replaceBy(reshaped(step, step.add(step.node.op, [flat]), [batch, channels, 1, 1, 1]));
}

function windowsOf(step: Step, kernel: readonly number[]): Windows {
  const axes = windowAxes(volumeOf(step, 0).slice(2), kernel, step.attributes);
  if (!axes.every(isMoving)) return step.refuse("its window does not fit");
  const otherwise = readsSameOtherwise(axes, step.attributes, step.node.op.endsWith("Pool"));
  if (otherwise !== undefined) return step.refuse(otherwise);
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
