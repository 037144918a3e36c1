import { floatBytes, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { packedLength } from "../kernels/matrix.js";
import { equal } from "../kernels/nest.js";
import type { Convolution } from "./convolution-operands.js";

// Convolutions with fewer products: Winograd's F(2×2, 3×3), 16 for four results instead of 36, F(4×4, 3×3), 36 for sixteen
// instead of 144, and F(2×2, 5×5), 36 for four instead of 100, as Lavin and Gray write them (Fast Algorithms for Convolutional Neural Networks, 2015). Blocks of
// inputs, as far apart as they have results, and the weights are transformed; each of a block's numbers is then a product of
// matrices over channels, and the products are transformed back. Weights are transformed when the module is started: they would
// be 16/9 or 4 times the download.

export interface Method {
  /** Of the window, along both axes. */
  readonly kernel: number;
  /** Results of a block along an axis, and what it is transformed to. */
  readonly step: number;
  readonly width: number;
  readonly weights: readonly (readonly number[])[];
  readonly input: readonly (readonly number[])[];
  readonly result: readonly (readonly number[])[];
  /** What transforming takes, measured in products: for a result of an input's channel, of one of its own, and for a weight. */
  readonly costs: { readonly input: number; readonly result: number; readonly weight: number };
}

/** Of six inputs, whatever their results are. */
const ofSix: Method["input"] = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];

export const methods: readonly Method[] = [
  {
    kernel: 3,
    step: 2,
    width: 4,
    weights: [
      [1, 0, 0],
      [0.5, 0.5, 0.5],
      [0.5, -0.5, 0.5],
      [0, 0, 1],
    ],
    input: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    result: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
    costs: { input: 10, result: 9, weight: 120 },
  },
  {
    kernel: 3,
    step: 4,
    width: 6,
    weights: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
    input: ofSix,
    result: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
    costs: { input: 15, result: 15, weight: 300 },
  },
  {
    kernel: 5,
    step: 2,
    width: 6,
    weights: [
      [1 / 4, 0, 0, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6, 1 / 3, 2 / 3],
      [1 / 24, -1 / 12, 1 / 6, -1 / 3, 2 / 3],
      [0, 0, 0, 0, 1],
    ],
    input: ofSix,
    result: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 1],
    ],
    costs: { input: 50, result: 30, weight: 300 },
  },
];

/** Bytes of the transformed input and of its products: what stays in a cache. */
const mostBytes = 2 * 1024 * 1024;
/** A row of blocks that takes more than that, and up to this, is computed by itself. */
const mostRowBytes = 8 * 1024 * 1024;
/** Images that are computed one by one have calls of their own, of which a model's code is not to be most. */
const mostImages = 16;
/** Bytes of transformed weights of a convolution: up to so many they are made once; and up to so many more in each run. */
export const mostPrepared = 10 * 1024 * 1024;
const mostWeights = 16 * 1024 * 1024;

/** Of the products for a result and a channel as they are written; what is saved has to pay for memory and calls as well. */
const mostProducts = 2 / 3;

/**
 * Is it worth it, and how? By what a result of a channel takes, transforms included. Blocks that reach beyond a map are moved back
 * onto it: what they overlap is computed again.
 */
export function winogradMethod(
  convolution: Convolution,
  dims: readonly number[],
  among = methods,
): Method | undefined {
  const { group, kernel, strides, dilations, depth, maps } = convolution;
  const [batch = 1, , height = 1, columns = 1] = dims;
  const isPlain = [...strides, ...dilations].every((size) => size === 1);
  if (dims.length !== 4 || group !== 1 || !isPlain) return undefined;
  const weights = packedLength(depth, maps) * floatBytes;
  const results = batch * height * columns;
  const written = kernel[0] * kernel[1];
  let [best, least]: [Method | undefined, number] = [undefined, mostProducts * written];
  for (const method of among) {
    const { step, width, costs } = method;
    if (kernel.some((size) => size !== method.kernel)) continue;
    const transformed = weights * width ** 2;
    if (height < step || columns < step || transformed > mostWeights) continue;
    if (stripsOf(method, convolution, dims) === undefined) continue;
    const again = (covered(height, step) * covered(columns, step)) / (height * columns);
    const products =
      again * (width ** 2 / step ** 2 + costs.input / maps + costs.result / depth) +
      (transformed > mostPrepared ? costs.weight / results : 0);
    if (products <= least) [best, least] = [method, products];
  }
  return best;
}

export function wholeBlocks(size: number, step: number): number {
  return Math.ceil(size / step);
}

/** Places that blocks compute, those that they overlap as often as they do. */
function covered(size: number, step: number): number {
  return wholeBlocks(size, step) * step;
}

/** Some that follow on one another. */
interface Run {
  readonly first: number;
  readonly count: number;
}

/** Blocks that are computed together, of one image or of all; so many times, each time the rows that follow. */
export interface Strip {
  readonly images: Run;
  readonly rows: Run;
  readonly times: number;
}

/**
 * All at once where that stays in the cache, or else of each image as many rows of blocks as do, and then the rest. Undefined
 * where no row does, or there are too many images.
 */
export function stripsOf(
  { step, width }: Method,
  { depth, maps }: Pick<Convolution, "depth" | "maps">,
  dims: readonly number[],
): readonly Strip[] | undefined {
  const [images = 1, , height = 1, columns = 1] = dims;
  const rows = wholeBlocks(height, step);
  const lanes = (vectorsOf(depth) + vectorsOf(maps)) * vectorBytes;
  const rowBytes = wholeBlocks(columns, step) * lanes * width ** 2;
  if (images * rows * rowBytes <= mostBytes)
    return [{ images: { first: 0, count: images }, rows: { first: 0, count: rows }, times: 1 }];
  if (rowBytes > mostRowBytes || images > mostImages) return undefined;
  const most = Math.max(1, Math.floor(mostBytes / rowBytes));
  // The last ones may overlap those before: they are no further round.
  const apartRows = Math.floor(height / step);
  const count = equal(apartRows, most)[0]?.size ?? 1;
  const times = Math.floor(apartRows / count);
  const rest = { first: times * count, count: rows - times * count };
  return Array.from({ length: images }, (_, first) => [
    { images: { first, count: 1 }, rows: { first: 0, count }, times },
    { images: { first, count: 1 }, rows: rest, times: 1 },
  ])
    .flat()
    .filter((strip) => strip.times > 0 && strip.rows.count > 0);
}
