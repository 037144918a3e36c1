import { elementCount } from "@pare/runtime/format";
import { blockTransform } from "../kernels/block-transform.js";
import { floatBytes, laneCount, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { matrix, packedAt, packedLength } from "../kernels/matrix.js";
import { type Axis, balanced, collapsed } from "../kernels/nest.js";
import { placeAt } from "../plan/plan.js";
import { channelsLast, sizeAt, stepAt, type View } from "../plan/view.js";
import {
  biasOf,
  type Convolution,
  geometryOf,
  inputOf,
  otherOf,
  shiftOf,
  spread,
} from "./convolution-operands.js";
import { absorbFollowers } from "./followers.js";
import type { Lowering } from "./lowering.js";
import { NodeFacts } from "./node-facts.js";
import { panelVectors } from "./panels.js";

// A convolution by 3 × 3 with 16 products for four results instead of 36: Winograd's F(2×2, 3×3), as Lavin and Gray write it
// (Fast Algorithms for Convolutional Neural Networks, 2015). Blocks of 4 × 4 inputs, two apart, and the weights are
// transformed; each of a block's 16 numbers is then a product of matrices over channels, and the products are transformed
// back. Weights are so in each run: transformed ones would be 16/9 of the download, and cost more there.

const forWeights = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
];
const forInput = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];
const forResult = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
];
/** Results of a block along an axis, and what it is transformed to. */
const [step, width] = [2, 4];
const products = width * width;

/** Bytes of the transformed input and of its products, and those of the weights: what stays in the second cache. */
const mostBytes = 1024 * 1024;
/**
 * A larger map is computed in strips of whole rows, each by three calls of the same code, which compress to as much as the code
 * of a node. A model has at most so many of both, lest calls be most of its code: larger strips, which are a little slower, if
 * need be.
 */
const mostParts = 160;
const stripBytes = [1, 2, 4].map((times) => times * mostBytes);
const largestStrip = Math.max(...stripBytes);

/** So many bytes lie between two matrices, lest all of a block's numbers fall into one set of a cache. */
const apart = 64;

/**
 * Is it worth it? Of the 9 products for a result and a channel 4 are left. Measured in products, transforming takes 10 for a
 * result of an input's channel, 9 for one of its own and 60 for a weight: a share of the five that may be two.
 */
export function suitsWinograd(convolution: Convolution, dims: readonly number[]): boolean {
  const { group, kernel, strides, dilations, depth, maps } = convolution;
  const [batch = 1, , height, columns] = dims;
  if (group !== 1 || height === undefined || columns === undefined) return false;
  const isPlain = [...strides, ...dilations].every((size) => size === 1);
  if (!isPlain || kernel.some((size) => size !== 3)) return false;
  if (height % step > 0 || columns % step > 0) return false;
  const weights = packedLength(depth, maps) * floatBytes;
  const fits =
    stripsOf(convolution, dims, largestStrip) !== undefined && weights * products <= mostBytes;
  return fits && 10 / maps + 9 / depth + 60 / (batch * height * columns) <= 2;
}

/** Rows of blocks that are computed together. */
export interface Strip {
  /** One image, or all of them. */
  readonly images: { readonly first: number; readonly count: number };
  readonly rows: { readonly first: number; readonly count: number };
}

/**
 * All at once where that stays in the cache, or else of each image as many rows of blocks as fit into a strip. Undefined where
 * none does, or strips are more than a model may have.
 */
function stripsOf(
  { depth, maps }: Pick<Convolution, "depth" | "maps">,
  dims: readonly number[],
  bytes: number,
): readonly Strip[] | undefined {
  const [images = 1, , height = 1, columns = 1] = dims;
  const rows = height / step;
  const lanes = (vectorsOf(depth) + vectorsOf(maps)) * vectorBytes;
  const rowBytes = (columns / step) * lanes * products;
  if (images * rows * rowBytes <= mostBytes)
    return [{ images: { first: 0, count: images }, rows: { first: 0, count: rows } }];
  const most = Math.floor(bytes / rowBytes);
  if (most < 1 || images * Math.ceil(rows / most) > mostParts) return undefined;
  const strips: Strip[] = [];
  for (let image = 0; image < images; image += 1) {
    let first = 0;
    for (const { size, count } of balanced(rows, most))
      for (let at = 0; at < count; at += 1) {
        strips.push({ images: { first: image, count: 1 }, rows: { first, count: size } });
        first += size;
      }
  }
  return strips;
}

/** Of what all convolutions multiply, the least that those which it suits have: transforms are half a kilobyte of code. */
const leastShare = 1 / 16;
/** By lowering and not by graph, which may be another by the time that it is compiled again: bytes of a strip. */
const uses = new WeakMap<Lowering, number | "none">();

/**
 * How a convolution is computed so; undefined where it is not: there must be enough to gain in the whole model.
 * @param dims of its result
 */
export function winogradStrips(
  l: Lowering,
  convolution: Convolution,
  dims: readonly number[],
): readonly Strip[] | undefined {
  if (!suitsWinograd(convolution, dims)) return undefined;
  const use = uses.get(l) ?? useIn(l);
  uses.set(l, use);
  return use === "none" ? undefined : stripsOf(convolution, dims, use);
}

/** The smallest strips of which there are not too many; or 0, where larger maps than fit into a cache are left. */
function useIn(l: Lowering): number | "none" {
  const suited: { geometry: Convolution; dims: readonly number[]; multiplied: number }[] = [];
  let [all, nodes] = [0, 0];
  for (const node of l.graph.order()) {
    nodes += 1;
    if (node.op !== "Conv") continue;
    const facts = new NodeFacts(l.graph, node);
    const dims = facts.outputDims();
    const multiplied = elementCount(dims) * elementCount(facts.dims(1).slice(1));
    all += multiplied;
    const geometry = geometryOf(facts);
    if (suitsWinograd(geometry, dims)) suited.push({ geometry, dims, multiplied });
  }
  for (const bytes of [...stripBytes, 0]) {
    let [strips, gained] = [0, 0];
    for (const { geometry, dims, multiplied } of suited) {
      const own = stripsOf(geometry, dims, bytes);
      // What suits does in the largest strips.
      if (own === undefined) {
        if (bytes > 0) strips = Infinity;
        continue;
      }
      gained += multiplied;
      if (own.length > 1) strips += own.length;
    }
    if ((strips === 0 || nodes + strips <= mostParts) && gained > 0 && gained >= all * leastShare)
      return bytes;
  }
  return "none";
}

export function lowerWinograd(
  node: NodeFacts,
  l: Lowering,
  convolution: Convolution,
  strips: readonly Strip[],
): void {
  const { maps, depth } = convolution;
  const x = inputOf(node, l, true);
  const { epilogue, other, result } = absorbFollowers(l, node.output());
  const order = channelsLast(x.dims.length);
  const y = l.allocate(result, order, { whole: true });
  const z = otherOf(l, other, y, () => l.operand(other ?? result, x.dims.length, order));
  const [from, to] = [vectorsOf(depth) * vectorBytes, vectorsOf(maps) * vectorBytes];
  const blocksOf = ({ images, rows }: Strip): number =>
    (images.count * rows.count * sizeAt(y, 3)) / step;
  const blocks = Math.max(...strips.map(blocksOf));
  /** As many matrices as a block has numbers, of so many bytes. */
  const matrices = (bytes: number, name: string) => {
    const each = bytes + apart;
    const place = { in: l.plan.buffer(each * products, name), offset: 0 };
    return { place, each, steps: [width * each, each] as const };
  };
  const taken = matrices(blocks * from, "blocks");
  const given = matrices(blocks * to, "products");

  const length = packedLength(depth, maps) * floatBytes;
  const weights = matrices(length, "weights");
  const plain = { other: [0, 0] as const, bias: false, epilogue: [] };
  const constant = l.packed(node.required(1), (numbers) => packedTaps(numbers, convolution));
  l.plan.step(
    blockTransform,
    {
      ...plain,
      axes: [{ count: length / vectorBytes, steps: [vectorBytes, vectorBytes, 0, 0] }],
      matrix: forWeights,
      input: [3 * length, length],
      output: weights.steps,
    },
    [constant, weights.place, constant, weights.place],
  );
  const bias = biasOf(node, l);
  const image = new Float32Array(vectorsOf(maps) * laneCount);
  image.set(bias ?? []);
  const added = bias === undefined ? constant : l.plan.constant(image);
  const stepsOf = (axis: number, count: number): readonly number[] => [
    0,
    count * stepAt(y, axis),
    0,
    count * spread(z, axis),
  ];
  const input = placeAt(x.place, shiftOf(x, convolution));
  for (const strip of strips) {
    const { images, rows } = strip;
    const from0 = images.first * stepAt(x, 0) + step * rows.first * stepAt(x, 2);
    const startOf = (view: View | undefined) =>
      images.first * spread(view, 0) + step * rows.first * spread(view, 2);
    l.plan.step(
      blockTransform,
      {
        ...plain,
        axes: collapsed([
          ...blockAxes(strip, y, (axis, count) => [count * stepAt(x, axis), 0, 0, 0], from, 1),
          { count: vectorsOf(depth), steps: [vectorBytes, vectorBytes, 0, 0] },
        ]),
        matrix: forInput,
        input: [stepAt(x, 2), stepAt(x, 3)],
        output: taken.steps,
      },
      [placeAt(input, from0), taken.place, constant, taken.place],
    );
    l.plan.step(
      matrix,
      {
        batch: [{ count: products, steps: [taken.each, weights.each, 0, given.each, 0] }],
        rows: { count: 1, steps: [0, 0, 0] },
        columns: { count: blocksOf(strip), steps: [from, to, 0] },
        taps: [],
        run: { count: depth, step: floatBytes },
        outputs: maps,
        panel: panelVectors,
        bias: false,
        epilogue: [],
        padded: true,
      },
      [taken.place, weights.place, weights.place, given.place, given.place],
    );
    l.plan.step(
      blockTransform,
      {
        axes: collapsed([
          ...blockAxes(strip, y, stepsOf, to, 0),
          {
            count: vectorsOf(maps),
            steps: [vectorBytes, vectorBytes, vectorBytes, vectorBytes],
          },
        ]),
        matrix: forResult,
        input: given.steps,
        output: [stepAt(y, 2), stepAt(y, 3)],
        other: [spread(z, 2), spread(z, 3)],
        bias: bias !== undefined,
        epilogue,
      },
      [
        given.place,
        placeAt(y.place, startOf(y)),
        added,
        z === undefined ? placeAt(y.place, startOf(y)) : placeAt(z.place, startOf(z)),
      ],
    );
  }
}

/** Images, rows and columns of blocks: the steps that are given, and those of the matrices, in which they follow on one another. */
function blockAxes(
  strip: Strip,
  y: View,
  stepsOf: (axis: number, count: number) => readonly number[],
  bytes: number,
  operand: number,
): readonly Axis[] {
  const [images, rows, columns] = [strip.images.count, strip.rows.count, sizeAt(y, 3) / step];
  const axis = (count: number, steps: readonly number[], own: number): Axis => ({
    count,
    steps: steps.map((other, at) => (at === operand ? own * bytes : other)),
  });
  return [
    axis(images, stepsOf(0, 1), rows * columns),
    axis(rows, stepsOf(2, step), columns),
    axis(columns, stepsOf(3, step), 1),
  ];
}

/** For each tap of the kernel a matrix of channels by results, in panels. */
function packedTaps(numbers: Float32Array, { maps, depth }: Convolution): Float32Array {
  const length = packedLength(depth, maps);
  const packed = new Float32Array(9 * length);
  for (let m = 0; m < maps; m += 1)
    for (let c = 0; c < depth; c += 1)
      for (let tap = 0; tap < 9; tap += 1)
        packed[tap * length + packedAt(c, m, depth, maps, panelVectors)] =
          numbers[(m * depth + c) * 9 + tap] ?? 0;
  return packed;
}
