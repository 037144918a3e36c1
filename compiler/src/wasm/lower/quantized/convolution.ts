import { depthwiseI8 } from "../../kernels/depthwise-i8.js";
import { packedDepthwiseI8 } from "../../kernels/depthwise-i8-weights.js";
import { inFours, laneCount, vectorsOf } from "../../kernels/kernel.js";
import { matrixI8, packedI8At, packedI8Length } from "../../kernels/matrix-i8.js";
import { type Axis, collapsed } from "../../kernels/nest.js";
import type { Activations } from "../../kernels/products-i8.js";
import { packedTerms, termBytes } from "../../kernels/rounding-i8.js";
import { placeAt } from "../../plan/plan.js";
import { channelsLast, noHalo, sizeAt, stepAt, type View } from "../../plan/view.js";
import { type Convolution, geometryOf, shiftOf } from "../convolution-operands.js";
import { asImage, joinedAxes } from "../image.js";
import { convolutionHalo } from "../convolution-halo.js";
import type { Lowering } from "../lowering.js";
import type { NodeFacts } from "../node-facts.js";
import { blockOf } from "./blocks.js";
import { allocateBytes, bordered, hasWholeFours } from "./bytes.js";
import { encodedBy } from "./quantization.js";
import { roundedResult, type RoundedResult } from "./rounded-result.js";
import {
  integerBias,
  type IntegerWeights,
  integerWeights,
  type SumTerms,
  sumTerms,
} from "./weighted-sum.js";

/** A convolution on bytes, with its scales and zero points at hand. */
interface ByteConvolution {
  readonly geometry: Convolution;
  readonly weights: IntegerWeights;
  readonly terms: SumTerms;
  readonly rounded: RoundedResult | undefined;
  readonly activations: Activations;
  /** The byte of its pads. */
  readonly zeroPoint: number;
  /** Its input with pads around it, channels next to one another. */
  readonly x: View;
}

/** A convolution of bytes with weights that are integers. @returns whether it is one */
export function convolveBytes(node: NodeFacts, l: Lowering): boolean {
  const encoded = encodedBy(l.graph, node.input(0));
  const weights = integerWeights(l.stored.get(node.required(1)), 0);
  const bias = integerBias(l, node.input(2));
  if (encoded === undefined || weights === undefined || bias === undefined) return false;
  const geometry = geometryOf(node);
  const { depth, group, maps } = geometry;
  const isDepthwise = depth === 1 && group === node.dims(0)[1] && maps === group;
  const rounded = roundedResult(l, node.output(), { sum: !isDepthwise, curve: true });
  const terms = sumTerms(encoded, weights, bias, rounded);
  if (terms === undefined) return false;
  rounded?.nodes.forEach((each) => l.absorbed.add(each));
  const pads = [noHalo, noHalo, ...convolutionHalo(node)];
  const bytes = bordered(l, l.view(encoded.bytes), pads, encoded.zeroPoint);
  const { zeroPoint, most } = encoded;
  const activations: Activations = most < 128 ? "7-bit" : "8-bit";
  const own = { geometry, weights, terms, rounded, activations, zeroPoint, x: asImage(bytes) };
  if (isDepthwise) planDepthwise(node, l, own);
  else planMatrix(node, l, own);
  return true;
}

/** Memory for the result, bytes or floats, and whether lanes behind its last channel may be written. */
function resultOf(
  node: NodeFacts,
  l: Lowering,
  { rounded }: ByteConvolution,
  exact: boolean,
): { readonly y: View; readonly padded: boolean } {
  if (rounded !== undefined) {
    // Whoever reads it: the kernel writes a pixel's channels next to one another.
    const order = channelsLast(node.dims(0).length);
    const y = asImage(allocateBytes(l, rounded.bytes, { order }));
    return { y, padded: !exact && hasWholeFours(y) };
  }
  const y = asImage(l.allocate(node.output(), channelsLast(node.dims(0).length), { exact }));
  return { y, padded: !exact && y.padded };
}

function planDepthwise(node: NodeFacts, l: Lowering, own: ByteConvolution): void {
  const { geometry, weights, terms, activations, x } = own;
  const { kernel, strides, dilations, maps } = geometry;
  const { y, padded } = resultOf(node, l, own, false);
  const axis = (a: number, stride: number): Axis => ({
    count: sizeAt(y, a),
    steps: [stride * stepAt(x, a), stepAt(y, a)],
  });
  const options = {
    batch: collapsed([{ count: sizeAt(y, 0), steps: [stepAt(x, 0), 0, 0, stepAt(y, 0)] }]),
    rows: axis(2, strides[0]),
    columns: axis(3, strides[1]),
    channels: maps,
    taps: [
      { count: kernel[0], steps: [dilations[0] * stepAt(x, 2)] },
      { count: kernel[1], steps: [dilations[1] * stepAt(x, 3)] },
    ],
    ...(dilations[0] === 1 && {
      border: { before: geometry.before[0], rows: sizeAt(x, 2), value: own.zeroPoint },
    }),
    activations,
    result: terms.result,
    padded,
  } as const;
  const weightOf = (c: number, row: number, column: number) =>
    weights.at(c, row * kernel[1] + column);
  l.plan.step(depthwiseI8, options, [
    placeAt(x.place, shiftOf(x, geometry)),
    l.plan.constant(packedDepthwiseI8(weightOf, options)),
    l.plan.constant(packedTerms(terms.starts, terms.factors, maps)),
    y.place,
  ]);
}

/** The loops over the kernel, and where in them a weight is. */
export interface Taps {
  readonly axes: readonly Axis[];
  /** Bytes that are summed over at once. */
  readonly run: number;
  readonly placeOf: (row: number, column: number, c: number) => number;
}

export function tapsOf(x: View, { kernel, dilations, depth, group }: Convolution): Taps {
  const [rowStep, columnStep] = [dilations[0] * stepAt(x, 2), dilations[1] * stepAt(x, 3)];
  const rows = { count: kernel[0], steps: [rowStep] };
  // Bytes between two pixels have weights of zero: so a row of the kernel is one run.
  if (group === 1 && columnStep >= depth && columnStep <= inFours(depth)) {
    const run = inFours((kernel[1] - 1) * columnStep + depth);
    return {
      axes: collapsed([rows]),
      run,
      placeOf: (row, column, c) => row * run + column * columnStep + c,
    };
  }
  const run = inFours(depth);
  return {
    axes: collapsed([rows, { count: kernel[1], steps: [columnStep] }]),
    run,
    placeOf: (row, column, c) => (row * kernel[1] + column) * run + c,
  };
}

function planMatrix(node: NodeFacts, l: Lowering, own: ByteConvolution): void {
  const { geometry, terms, rounded, activations, x } = own;
  const { maps, group, depth, strides } = geometry;
  const each = maps / group;
  // Groups follow one another: none may write behind its last channel.
  const { y, padded } = resultOf(node, l, own, group > 1 && each % laneCount > 0);
  const { other } = rounded ?? {};
  const z = other === undefined ? undefined : asImage(bordered(l, l.view(other.bytes), [], 0));
  const { axes, run, placeOf } = tapsOf(x, geometry);
  const total = axes.reduce((product, { count }) => product * count, run);
  const axis = (a: number, stride: number): Axis => ({
    count: sizeAt(y, a),
    steps: [stride * stepAt(x, a), stepAt(y, a), z === undefined ? 0 : stepAt(z, a)],
  });
  const [rows, columns] = joinedAxes([axis(2, strides[0]), axis(3, strides[1])]);
  const length = packedI8Length(total, each);
  const packed = packedWeights(own, placeOf, total, length);
  const block = blockOf(rows, columns, length);
  const batch = [
    {
      count: sizeAt(y, 0),
      steps: [stepAt(x, 0), 0, 0, stepAt(y, 0), z === undefined ? 0 : stepAt(z, 0)],
    },
    {
      count: group,
      steps: [
        depth * stepAt(x, 1),
        length,
        vectorsOf(each) * termBytes,
        each * stepAt(y, 1),
        z === undefined ? 0 : each * stepAt(z, 1),
      ],
    },
  ];
  l.plan.step(
    matrixI8,
    {
      batch: collapsed(batch),
      rows,
      columns,
      ...(block !== undefined && { block }),
      taps: axes,
      run,
      outputs: each,
      activations,
      ...(terms.other !== undefined && { other: terms.other }),
      result: terms.result,
      padded,
    },
    [
      placeAt(x.place, shiftOf(x, geometry)),
      l.plan.constant(packed),
      l.plan.constant(packedTerms(terms.starts, terms.factors, each)),
      y.place,
      z?.place ?? y.place,
    ],
  );
}

/** By group: panels of outputs, with the weights in the order in which the input is read. */
function packedWeights(
  { geometry, weights }: ByteConvolution,
  placeOf: Taps["placeOf"],
  total: number,
  length: number,
): Int8Array {
  const { maps, group, depth, kernel } = geometry;
  const each = maps / group;
  const packed = new Int8Array(length * group);
  const taps = kernel[0] * kernel[1];
  for (let m = 0; m < maps; m += 1)
    for (let row = 0; row < kernel[0]; row += 1)
      for (let column = 0; column < kernel[1]; column += 1)
        for (let c = 0; c < depth; c += 1) {
          const place = packedI8At(placeOf(row, column, c), m % each, total, each);
          packed[Math.floor(m / each) * length + place] = weights.at(
            m,
            c * taps + row * kernel[1] + column,
          );
        }
  return packed;
}
