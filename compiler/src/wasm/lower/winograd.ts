import { elementCount } from "@pare/runtime/format";
import { blockTransform, type MapSteps } from "../kernels/block-transform.js";
import { floatBytes, laneCount, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { matrix, packedAt, packedLength } from "../kernels/matrix.js";
import { equal } from "../kernels/nest.js";
import { placeAt, type Place } from "../plan/plan.js";
import { channelsLast, sizeAt, stepAt } from "../plan/view.js";
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

// A convolution by 3 × 3 with fewer products: Winograd's F(2×2, 3×3), 16 for four results instead of 36, and F(4×4, 3×3), 36
// for sixteen instead of 144, as Lavin and Gray write them (Fast Algorithms for Convolutional Neural Networks, 2015). Blocks of
// inputs, as far apart as they have results, and the weights are transformed; each of a block's numbers is then a product of
// matrices over channels, and the products are transformed back. Weights are so in each run: transformed ones would be 16/9 or 4
// times the download, and cost more there.

interface Method {
  /** Results of a block along an axis, and what it is transformed to. */
  readonly step: number;
  readonly width: number;
  readonly weights: readonly (readonly number[])[];
  readonly input: readonly (readonly number[])[];
  readonly result: readonly (readonly number[])[];
  /** What transforming takes, measured in products: for a result of an input's channel, of one of its own, and for a weight. */
  readonly costs: { readonly input: number; readonly result: number; readonly weight: number };
}

const methods: readonly Method[] = [
  {
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
    costs: { input: 10, result: 9, weight: 60 },
  },
  {
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
    input: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    result: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
    costs: { input: 15, result: 15, weight: 150 },
  },
];

/** Bytes of the transformed input and of its products: what stays in a cache. Half of it is no faster. */
const mostBytes = 2 * 1024 * 1024;
/** A row of blocks that takes more than that, and up to this, is computed by itself. */
const mostRowBytes = 8 * 1024 * 1024;
/** Images that are computed one by one have calls of their own, of which a model's code is not to be most. */
const mostImages = 16;
/** Bytes of transformed weights: up to so many it takes what is said here to make them, and beyond twice that. */
const nearWeights = 4 * 1024 * 1024;
const mostWeights = 16 * 1024 * 1024;

/** So many bytes lie between two matrices, lest all of a block's numbers fall into one set of a cache. */
const apart = 64;
/** Of the 9 products for a result and a channel; what is saved has to pay for memory and calls as well. */
const mostProducts = 6;

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
  if (dims.length !== 4 || group !== 1 || !isPlain || kernel.some((size) => size !== 3))
    return undefined;
  const weights = packedLength(depth, maps) * floatBytes;
  const results = batch * height * columns;
  let [best, least]: [Method | undefined, number] = [undefined, mostProducts];
  for (const method of among) {
    const { step, width, costs } = method;
    const transformed = weights * width ** 2;
    if (height < step || columns < step || transformed > mostWeights) continue;
    if (stripsOf(method, convolution, dims) === undefined) continue;
    const again = (covered(height, step) * covered(columns, step)) / (height * columns);
    const products =
      again * (width ** 2 / step ** 2 + costs.input / maps + costs.result / depth) +
      (costs.weight * (transformed > nearWeights ? 2 : 1)) / results;
    if (products <= least) [best, least] = [method, products];
  }
  return best;
}

function wholeBlocks(size: number, step: number): number {
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
interface Strip {
  readonly images: Run;
  readonly rows: Run;
  readonly times: number;
}

/**
 * All at once where that stays in the cache, or else of each image as many rows of blocks as do, and then the rest. Undefined
 * where no row does, or there are too many images.
 */
function stripsOf(
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

/** Of what all convolutions multiply, the least that those of a method have: its transforms are a quarter of a kilobyte of code. */
const leastShare = 1 / 16;
/** The least that each of them has: calls are code too. */
const leastOfOne = 1 / 64;
/**
 * Kinds of layers of a network that has as much code as a module should have: about sixty bytes each, up to six kilobytes of one
 * that convolves, and to ten of one that does more.
 */
const mostKinds = { convolutional: 99, any: 150 };
const besideConvolutions = ["MatMul", "LSTM", "GRU", "NonMaxSuppression"];
/** By lowering and not by graph, which may be another by the time that it is compiled again. */
const uses = new WeakMap<Lowering, Use>();

/** Which methods a model has, and how much a convolution multiplies at least that is computed so. */
interface Use {
  readonly methods: readonly Method[];
  readonly least: number;
}

/** How a convolution is computed, and in which parts. */
export interface Winograd {
  readonly method: Method;
  readonly strips: readonly Strip[];
}

/**
 * How a convolution is computed so; undefined where it is not: there must be enough to gain in the whole model.
 * @param dims of its result
 */
export function winogradOf(
  l: Lowering,
  convolution: Convolution,
  dims: readonly number[],
): Winograd | undefined {
  const use = uses.get(l) ?? useIn(l);
  uses.set(l, use);
  if (productsOf(convolution, dims) < use.least) return undefined;
  const method = winogradMethod(convolution, dims, use.methods);
  const strips = method && stripsOf(method, convolution, dims);
  return method && strips && { method, strips };
}

/** How much a convolution multiplies as it is written. */
function productsOf({ depth, kernel }: Convolution, dims: readonly number[]): number {
  return elementCount(dims) * depth * elementCount(kernel);
}

function useIn(l: Lowering): Use {
  const suited: { readonly method: Method; readonly products: number }[] = [];
  const kinds = new Set<string>();
  let isConvolutional = true;
  let all = 0;
  for (const node of l.graph.order()) {
    const facts = new NodeFacts(l.graph, node);
    kinds.add(`${node.op} ${JSON.stringify(facts.inputs.map((id) => l.graph.value(id).type))}`);
    if (besideConvolutions.includes(node.op)) isConvolutional = false;
    if (node.op !== "Conv") continue;
    const [geometry, dims] = [geometryOf(facts), facts.outputDims()];
    const products = productsOf(geometry, dims);
    all += products;
    const method = winogradMethod(geometry, dims);
    if (method !== undefined) suited.push({ method, products });
  }
  const least = all * leastOfOne;
  const shareOf = (method: Method): number =>
    suited
      .filter((one) => one.method === method && one.products >= least)
      .reduce((sum, { products }) => sum + products, 0);
  const isFull = kinds.size > mostKinds[isConvolutional ? "convolutional" : "any"];
  const own = methods.filter((method) => !isFull && shareOf(method) >= all * leastShare);
  return { methods: own, least };
}

export function lowerWinograd(
  node: NodeFacts,
  l: Lowering,
  convolution: Convolution,
  { method, strips }: Winograd,
): void {
  const { maps, depth } = convolution;
  const { step, width } = method;
  const products = width ** 2;
  const x = inputOf(node, l, true);
  const { epilogue, other, result } = absorbFollowers(l, node.output());
  const order = channelsLast(x.dims.length);
  const y = l.allocate(result, order, { whole: true });
  const z = otherOf(l, other, y, () => l.operand(other ?? result, x.dims.length, order));
  const [from, to] = [vectorsOf(depth) * vectorBytes, vectorsOf(maps) * vectorBytes];
  const columns = wholeBlocks(sizeAt(y, 3), step);
  const blocksOf = ({ images, rows }: Strip): number => images.count * rows.count * columns;
  const blocks = Math.max(...strips.map((strip) => inWholeTiles(blocksOf(strip))));
  /** As many matrices as a block has numbers, of so many bytes. */
  const matrices = (bytes: number, name: string) => {
    const each = bytes + apart;
    const place = { in: l.plan.buffer(each * products, name), offset: 0 };
    return { place, each };
  };
  const taken = matrices(blocks * from, "blocks");
  const given = matrices(blocks * to, "products");

  const length = packedLength(depth, maps) * floatBytes;
  const weights = matrices(length, "weights");
  const half = heldIn(l);
  const constant = l.packed(node.required(1), (numbers) => packedTaps(numbers, convolution));
  const plain = { other: nowhere, bias: false, epilogue: [] };
  l.plan.step(
    blockTransform,
    {
      ...plain,
      matrix: method.weights,
      map: "input",
      counts: [1, 1, 1],
      vectors: length / vectorBytes,
      step: 0,
      last: [0, 0],
      steps: [0, 3 * length, length],
      each: weights.each,
    },
    [constant, weights.place, half, half, half],
  );
  const bias = biasOf(node, l);
  const image = new Float32Array(vectorsOf(maps) * laneCount);
  image.set(bias ?? []);
  const added = bias === undefined ? half : l.plan.constant(image);
  const mapSteps = (stepOf: (axis: number) => number): MapSteps => [
    sizeAt(y, 0) === 1 ? 0 : stepOf(0),
    stepOf(2),
    stepOf(3),
  ];
  const [stepsOfX, stepsOfY] = [mapSteps((axis) => stepAt(x, axis)), mapSteps((axis) => stepAt(y, axis))]; // prettier-ignore
  const stepsOfZ = z === undefined ? nowhere : mapSteps((axis) => spread(z, axis));
  const input = placeAt(x.place, shiftOf(x, convolution));
  for (const strip of strips)
    l.plan.inRounds(strip.times, (planStep) => {
      const { images, rows } = strip;
      const first = Math.min(step * rows.first, sizeAt(y, 2) - step);
      const blocksInMap = {
        counts: [images.count, rows.count, columns] as const,
        step,
        last: [sizeAt(y, 2) - step - first, sizeAt(y, 3) - step] as const,
      };
      const down = rows.count * step;
      /** Bytes from the first place of a map to that of the strip. */
      const startOf = (steps: MapSteps): number => images.first * steps[0] + first * steps[1];
      planStep(
        blockTransform,
        {
          ...plain,
          ...blocksInMap,
          matrix: method.input,
          map: "input",
          vectors: vectorsOf(depth),
          steps: stepsOfX,
          each: taken.each,
        },
        [placeAt(input, startOf(stepsOfX)), taken.place, half, half, half],
        [down * stepsOfX[1]],
      );
      planStep(
        matrix,
        {
          batch: [{ count: products, steps: [taken.each, weights.each, 0, given.each, 0] }],
          rows: { count: 1, steps: [0, 0, 0] },
          columns: { count: inWholeTiles(blocksOf(strip)), steps: [from, to, 0] },
          taps: [],
          run: { count: depth, step: floatBytes },
          outputs: maps,
          panel: panelVectors,
          bias: false,
          epilogue: [],
          padded: true,
        },
        [taken.place, weights.place, weights.place, given.place, given.place],
        [],
      );
      planStep(
        blockTransform,
        {
          ...blocksInMap,
          matrix: method.result,
          map: "output",
          vectors: vectorsOf(maps),
          steps: stepsOfY,
          each: given.each,
          other: stepsOfZ,
          bias: bias !== undefined,
          epilogue,
        },
        [
          placeAt(y.place, startOf(stepsOfY)),
          given.place,
          half,
          added,
          z === undefined ? half : placeAt(z.place, startOf(stepsOfZ)),
        ],
        [down * stepsOfY[1], 0, 0, 0, down * stepsOfZ[1]],
      );
    });
}

const nowhere: MapSteps = [0, 0, 0];

/** All calls have it at one place: numbers that are alike compress. */
const held = new WeakMap<Lowering, Place>();

function heldIn(l: Lowering): Place {
  const known = held.get(l);
  if (known !== undefined) return known;
  const bytes = Math.max(...methods.map(({ width }) => width ** 2)) * vectorBytes;
  const place = { in: l.plan.buffer(bytes, "half"), offset: 0 };
  held.set(l, place);
  return place;
}

/** Places that tiles of every engine divide. */
const wholeTile = 12;

/** Some products of nothing rather than code for tiles of other sizes. */
function inWholeTiles(blocks: number): number {
  const whole = Math.ceil(blocks / wholeTile) * wholeTile;
  return whole <= blocks * (9 / 8) ? whole : blocks;
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
