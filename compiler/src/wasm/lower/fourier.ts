import { shapeOf } from "../../ir/index.js";
import { binsOf } from "../../ops/families/signal.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { fourier, type FourierOptions, turnsOf, workBytes } from "../kernels/fourier.js";
import { stagesOf } from "../kernels/fourier-stage.js";
import { floatBytes } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { axesOf, rowMajor, sizeAt, stepAt, type View } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { type NodeFacts } from "./node-facts.js";

/** A table of so many turns and their place to work are memory that the model's tensors do not show. */
const longest = 2 ** 18;
/** What has a larger prime in it is summed by so many products for each of as many frequencies. */
const largestPrime = 2 ** 14;

function refusedLength(length: number): string | undefined {
  if (!Number.isInteger(length) || length < 1) return `a transform of ${length} samples is none`;
  if (length > longest) return `transforms of more than ${longest} samples are not compiled`;
  return stagesOf(length).some(({ radix }) => radix > largestPrime)
    ? `${length} samples have a prime factor above ${largestPrime}: pad them to a length with small factors`
    : undefined;
}

/** Along an axis, once or inverse, of real numbers or complex ones. */
export const dftRow: LoweringRow = {
  constantBytes: (node) => tableBytes(lengthOfDft(node)),
  refuse(node) {
    const dims = shapeOf(node.graph, node.required(0)) ?? [];
    if (dims.length < 2) return "its input must have two axes at least";
    const refused = refusedParts(Number(dims.at(-1)));
    if (refused !== undefined) return refused;
    if (node.input(2) !== undefined && node.numbers(2) === undefined)
      return "its axis must be constant";
    const length = lengthOfDft(node);
    if (length === undefined) return "its length must be constant";
    const axis = axisOf(node);
    if (!(axis >= 0 && axis < dims.length - 1)) return `its axis ${axis} holds no samples`;
    if (isOnesided(node) && (dims.at(-1) === 2) !== isInverse(node))
      return "one side is given of real numbers, and its inverse of complex ones";
    // Of what is cut or padded onnxruntime makes this or that, by the length.
    const side = Number(dims[axis]);
    if (isOnesided(node) && isInverse(node) && side !== binsOf(length, true))
      return `${side} samples are not one side of a spectrum of ${length}`;
    return refusedLength(length);
  },
  lower(node, l) {
    const x = l.view(node.required(0));
    const [rank, axis] = [x.dims.length, axisOf(node)];
    const y = l.allocate(node.output(), rowMajor(rank), { exact: true });
    const others = rowMajor(rank - 1).filter((other) => other !== axis);
    const length = lengthOfDft(node) ?? 1;
    const mirrored = isOnesided(node) && isInverse(node);
    planFourier(l, x, y, {
      around: collapsed(axesOf([x, y], others)),
      length,
      samples: Math.min(length, sizeAt(x, axis)),
      ...(mirrored && { mirrored }),
      sampleStep: stepAt(x, axis),
      ...(sizeAt(x, rank - 1) === 2 && { imaginaryStep: stepAt(x, rank - 1) }),
      bins: sizeAt(y, axis),
      binStep: stepAt(y, axis),
      inverse: isInverse(node),
    });
  },
};

/** Of each frame of a signal, times a window. */
export const stftRow: LoweringRow = {
  constantBytes: (node) => tableBytes(frameOf(node)),
  refuse(node) {
    const dims = shapeOf(node.graph, node.required(0)) ?? [];
    if (dims.length < 2 || dims.length > 3) return "its signal must have two axes or three";
    const refused = refusedParts(Number(dims[2] ?? 1));
    if (refused !== undefined) return refused;
    const [step] = node.numbers(1) ?? [];
    const length = frameOf(node);
    if (step === undefined || length === undefined)
      return "its step and the length of its frames must be constant";
    if (!(step >= 1)) return `a step of ${step} does not move on`;
    if (length > Number(dims[1])) return "its frames are longer than the signal";
    const given = node.input(3) === undefined ? length : node.numbers(3)?.[0];
    if (given !== length) return "its window is not as long as its frames";
    return refusedLength(length);
  },
  lower(node, l) {
    const x = l.view(node.required(0));
    const y = l.allocate(node.output(), rowMajor(4), { exact: true });
    const [step = 1] = node.numbers(1) ?? [];
    const window = node.input(2);
    const factors = window === undefined ? undefined : l.view(window);
    const length = frameOf(node) ?? 1;
    const frames = { count: sizeAt(y, 1), steps: [step * stepAt(x, 1), stepAt(y, 1)] };
    const options = {
      around: collapsed([{ count: sizeAt(y, 0), steps: [stepAt(x, 0), stepAt(y, 0)] }, frames]),
      length,
      samples: length,
      sampleStep: stepAt(x, 1),
      ...(x.dims.length === 3 && sizeAt(x, 2) === 2 && { imaginaryStep: stepAt(x, 2) }),
      ...(factors && { windowStep: stepAt(factors, 0) }),
      bins: sizeAt(y, 2),
      binStep: stepAt(y, 2),
      inverse: false,
    };
    planFourier(l, x, y, options, factors);
  },
};

/** What a transform needs besides places. */
type Given = Omit<FourierOptions, "axes" | "signals" | "partStep"> & {
  /** Around each signal: steps of input, output. */
  readonly around: readonly Axis[];
};

function planFourier(l: Lowering, x: View, y: View, given: Given, window?: View): void {
  const { around, ...rest } = given;
  // Where most signals lie side by side, the fewest are computed twice.
  const most = Math.max(...around.map(({ count }) => count));
  const at = around.findIndex(({ count }) => count === most);
  const options: FourierOptions = {
    ...rest,
    axes: around.filter((_, index) => index !== at),
    signals: around[at] ?? { count: 1, steps: [0, 0] },
    ...(sizeAt(y, y.dims.length - 1) === 2 && { partStep: stepAt(y, y.dims.length - 1) }),
  };
  const table = l.plan.constant(turnsOf(rest.length, rest.inverse));
  const work = l.plan.memory(workBytes(options), "spectra");
  const places = [x.place, y.place, table, work, ...(window ? [window.place] : [])];
  l.plan.step(fourier, options, places);
}

function tableBytes(length: number | undefined): number {
  return length === undefined || refusedLength(length) !== undefined ? 0 : 2 * length * floatBytes;
}

function refusedParts(parts: number): string | undefined {
  return parts === 1 || parts === 2
    ? undefined
    : `its last axis holds ${parts} parts of a number: there is one of a real number, and two of a complex one`;
}

function isInverse({ attributes }: NodeFacts): boolean {
  return attributes.int("inverse", 0) !== 0;
}

function isOnesided({ attributes }: NodeFacts): boolean {
  return attributes.int("onesided", 0) !== 0;
}

function axisOf(node: NodeFacts): number {
  const rank = shapeOf(node.graph, node.required(0))?.length ?? 0;
  return normalAxis(node.numbers(2)?.[0] ?? -2, rank);
}

/** Undefined where it is computed. */
function lengthOfDft(node: NodeFacts): number | undefined {
  if (node.input(1) !== undefined) return node.numbers(1)?.[0];
  const size = shapeOf(node.graph, node.required(0))?.[axisOf(node)];
  if (typeof size !== "number") return undefined;
  return isOnesided(node) && isInverse(node) ? 2 * (size - 1) : size;
}

function frameOf(node: NodeFacts): number | undefined {
  const window = node.input(2);
  if (window === undefined) return node.numbers(3)?.[0];
  const size = shapeOf(node.graph, window)?.[0];
  return typeof size === "number" ? size : undefined;
}
