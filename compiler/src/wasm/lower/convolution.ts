import { isMoving, readsSameOtherwise, windowAxes } from "../../ops/families/window.js";
import { depthwise } from "../kernels/depthwise.js";
import { usesOther } from "../kernels/epilogue.js";
import { floatBytes, laneCount, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { matrix, packedLength } from "../kernels/matrix.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import { tableOf, wantsTable } from "../kernels/tiling.js";
import { placeAt } from "../plan/plan.js";
import { channelsLast, sizeAt, stepAt, type View } from "../plan/view.js";
import {
  biasOf,
  type Convolution,
  geometryOf,
  inputOf,
  otherOf,
  packedBias,
  shiftOf,
  spread,
} from "./convolution-operands.js";
import { isLongWindow, planDots, suitsDots } from "./dots.js";
import { absorbFollowers } from "./followers.js";
import { asImage, joinedAxes } from "./image.js";
import type { Lowering } from "./lowering.js";
import type { LoweringRow } from "./lowering-row.js";
import type { NodeFacts } from "./node-facts.js";
import type { Packing } from "./packed-integers.js";
import { packedGroups, panelOf, type WeightsOf } from "./panels.js";
import { lowerWinograd, winogradOf } from "./winograd.js";

export const convolutionRow: LoweringRow = {
  refuse(node) {
    const isFree = node.input(2) !== undefined && !node.isConstant(2);
    return windowRefusal(node) ?? (isFree ? "the bias must be constant" : undefined);
  },
  lower(node, l) {
    const convolution = geometryOf(node);
    if (isDepthwise(node, convolution) && !isOneLongWindow(convolution))
      return lowerDepthwise(node, l, convolution);
    const winograd = winogradOf(l, convolution, l.dims(node.output()));
    if (winograd === undefined) lowerMatrix(node, l, convolution);
    else lowerWinograd(node, l, convolution, winograd);
  },
};

function isDepthwise(node: NodeFacts, { depth, group, maps }: Convolution): boolean {
  return depth === 1 && group === node.dims(0)[1] && maps === group;
}

/** One channel becomes one: of a signal, for instance. Its window fills the lanes, which channels would leave empty. */
function isOneLongWindow({ depth, maps, kernel, dilations }: Convolution): boolean {
  return depth === 1 && maps === 1 && dilations[1] === 1 && isLongWindow(kernel[1]);
}

/** Why a window over an input, with its weights, is not compiled. */
export function windowRefusal(node: NodeFacts): string | undefined {
  const rank = node.dims(0).length;
  if (rank < 3 || rank > 4) return "convolutions over one or two axes are compiled";
  if (!node.isConstant(1)) return "the weights must be constant";
  const axes = windowAxes(node.dims(0).slice(2), node.dims(1).slice(2), node.attributes);
  if (!axes.every(isMoving)) return "its window does not fit";
  const otherwise = readsSameOtherwise(axes, node.attributes, false);
  if (otherwise !== undefined) return otherwise;
  const isNegative = axes.some(({ before, after }) => Number(before) < 0 || Number(after) < 0);
  return isNegative ? "negative pads are not compiled" : undefined;
}

/** Rows and columns of the result: steps of input, output, other. */
function resultAxes(
  x: View,
  y: View,
  z: View | undefined,
  { strides }: Convolution,
): readonly [Axis, Axis] {
  const axis = (a: number, stride: number): Axis => ({
    count: sizeAt(y, a),
    steps: [stride * stepAt(x, a), stepAt(y, a), spread(z, a)],
  });
  return [axis(2, strides[0]), axis(3, strides[1])];
}

function lowerDepthwise(node: NodeFacts, l: Lowering, convolution: Convolution): void {
  const { maps, kernel, dilations } = convolution;
  const rank = node.dims(0).length;
  const x = asImage(inputOf(node, l, true));
  const { epilogue, other, result } = absorbFollowers(l, node.output());
  const order = channelsLast(rank);
  const target = l.allocate(result, order, { whole: true });
  const y = asImage(target);
  const z = otherOf(l, other, y, () => asImage(l.operand(other ?? result, rank, order)));
  const vectors = vectorsOf(maps);
  const taps = kernel[0] * kernel[1];
  const pack: Packing = (numbers) => {
    const weights = new Float32Array(vectors * laneCount * taps);
    for (let c = 0; c < maps; c += 1)
      for (let tap = 0; tap < taps; tap += 1) {
        const place = (Math.floor(c / laneCount) * taps + tap) * laneCount + (c % laneCount);
        weights[place] = numbers[c * taps + tap] ?? 0;
      }
    return weights;
  };
  const bias = biasOf(node, l);
  const image = new Float32Array(vectors * laneCount);
  image.set(bias ?? []);
  const [rows, columns] = resultAxes(x, y, z, convolution);
  const constant = l.packed(node.required(1), pack);
  l.plan.step(
    depthwise,
    {
      batch: batchAxes(x, y, z),
      rows,
      columns,
      vectors,
      taps: [
        { count: kernel[0], steps: [dilations[0] * stepAt(x, 2)] },
        { count: kernel[1], steps: [dilations[1] * stepAt(x, 3)] },
      ],
      bias: bias !== undefined,
      epilogue,
    },
    [
      placeAt(x.place, shiftOf(x, convolution)),
      constant,
      bias === undefined ? constant : l.plan.constant(image),
      y.place,
      z?.place ?? y.place,
    ],
  );
}

function batchAxes(x: View, y: View, z: View | undefined): readonly Axis[] {
  return collapsed([
    { count: sizeAt(y, 0), steps: [stepAt(x, 0), 0, 0, stepAt(y, 0), spread(z, 0)] },
  ]);
}

/** The loops over the kernel, and how the channels of its weights follow from them. */
interface Taps {
  readonly axes: readonly Axis[];
  readonly run: { readonly count: number; readonly step: number };
  /** Channels between one tap of a row and the next, in the run: more than there are where lanes pad them. */
  readonly pitch: number;
}

function tapsOf(x: View, { kernel, dilations, depth, group }: Convolution): Taps {
  const [rowStep, columnStep] = [dilations[0] * stepAt(x, 2), dilations[1] * stepAt(x, 3)];
  const step = sizeAt(x, 1) === 1 ? floatBytes : stepAt(x, 1);
  const pitch = columnStep / floatBytes;
  const padding = pitch - depth;
  // Lanes that pad are summed with weights of zero where that keeps a row of the kernel one run.
  const joins =
    group === 1 &&
    step === floatBytes &&
    kernel[1] > 1 &&
    (padding === 0 || (x.padded && padding > 0 && padding < laneCount && depth >= 8));
  const rows = { count: kernel[0], steps: [rowStep] };
  if (joins) {
    const count = kernel[1] * pitch;
    return { axes: collapsed([rows]), run: { count, step }, pitch };
  }
  const columns = { count: kernel[1], steps: [columnStep] };
  return { axes: collapsed([rows, columns]), run: { count: depth, step }, pitch: depth };
}

function lowerMatrix(node: NodeFacts, l: Lowering, convolution: Convolution): void {
  const { maps, group, depth } = convolution;
  const rank = node.dims(0).length;
  const x = asImage(inputOf(node, l, false));
  const { epilogue, other, result } = absorbFollowers(l, node.output());
  const order = channelsLast(rank);
  const own = maps / group;
  // Groups follow one another within a vector: none may write behind its last channel.
  const y = asImage(l.allocate(result, order, { exact: group > 1 && own % laneCount > 0 }));
  const z = otherOf(l, other, y, () => asImage(l.operand(other ?? result, rank, order)));
  const { axes, run, pitch } = tapsOf(x, convolution);
  const total = axes.reduce((product, { count }) => product * count, run.count);
  const bias = packedBias(biasOf(node, l), group, own);
  const [rows, columns] = joinedAxes(resultAxes(x, y, z, convolution));
  const input = placeAt(x.place, shiftOf(x, convolution));
  const value = node.required(1);
  const weightOf = weightsOf(convolution, pitch);
  const isWindow = isOneLongWindow(convolution) && isLongWindow(run.count);
  if (isWindow || suitsDots(group, own, run, total)) {
    const shape = { batch: batchAxes(x, y, z), rows, columns, taps: axes, run: run.count };
    const places = { input, bias: bias && l.plan.constant(bias), output: y.place, other: z?.place ?? y.place }; // prettier-ignore
    const options = { ...shape, outputs: own, padded: y.padded, epilogue };
    return planDots(l, options, total, { value, weightOf }, places);
  }
  const isListed = wantsTable(rows, columns);
  const groups: Axis = {
    count: group,
    steps: [
      depth * stepAt(x, 1),
      packedLength(total, own) * floatBytes,
      bias === undefined ? 0 : vectorsOf(own) * vectorBytes,
      own * stepAt(y, 1),
      z === undefined ? 0 : own * stepAt(z, 1),
    ],
  };
  const constant = l.packed(value, (numbers) => packedGroups(weightOf(numbers), group, own, total));
  l.plan.step(
    matrix,
    {
      batch: [...batchAxes(x, y, z), ...collapsed([groups])],
      rows,
      columns,
      taps: axes,
      run,
      outputs: own,
      panel: panelOf(own),
      bias: bias !== undefined,
      epilogue,
      padded: y.padded,
      ...(isListed && { listed: true as const }),
    },
    [
      input,
      constant,
      bias === undefined ? constant : l.plan.constant(bias),
      y.place,
      z?.place ?? y.place,
      ...(isListed ? [l.plan.constant(tableOf(rows, columns, usesOther(epilogue)))] : []),
    ],
  );
}

/** In the order in which the input is read: zeros for lanes that pad it. */
function weightsOf({ maps, group, depth, kernel }: Convolution, pitch: number): WeightsOf {
  const taps = kernel[0] * kernel[1];
  return (numbers) => (k, map, own) => {
    const [tap, channel] = [Math.floor(k / pitch), k % pitch];
    const first = ((own * maps) / group + map) * depth;
    return channel < depth ? (numbers[(first + channel) * taps + tap] ?? 0) : 0;
  };
}
