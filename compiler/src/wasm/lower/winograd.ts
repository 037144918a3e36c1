import { elementCount } from "@pare/runtime/format";
import { blockTransform, type MapSteps } from "../kernels/block-transform.js";
import { floatBytes, laneCount, vectorBytes, vectorsOf } from "../kernels/kernel.js";
import { matrix, packedAt, packedLength } from "../kernels/matrix.js";
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
import {
  type Method,
  methods,
  mostPrepared,
  type Strip,
  stripsOf,
  wholeBlocks,
  winogradMethod,
} from "./winograd-method.js";

/** So many bytes lie between two matrices, lest all of a block's numbers fall into one set of a cache. */
const apart = 64;

/** Of what all convolutions multiply, the least that those of a method have: its transforms are a quarter of a kilobyte of code. */
const leastShare = 1 / 16;
/** The least that each of them has: calls are code too. */
const leastOfOne = 1 / 64;
/**
 * Kinds of layers of a network that has as much code as a module should have: six kilobytes of one that convolves, and ten of
 * one that does more.
 */
const mostKinds = { convolutional: 99, any: 150 };
const besideConvolutions = ["MatMul", "LSTM", "GRU", "NonMaxSuppression"];
/** By lowering and not by graph, which may be another by the time that it is compiled again. */
const uses = new WeakMap<Lowering, Use>();

/** Which methods a model has, and how much a convolution multiplies at least that is computed so. */
interface Use {
  readonly methods: readonly Method[];
  readonly least: number;
  /** Bytes that weights may still take which are transformed when the module is started. */
  left: number;
}

/** Of all convolutions together; what is beyond that is transformed in each run. */
const mostPreparedTogether = 32 * 1024 * 1024;

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
  return { methods: own, least, left: mostPreparedTogether };
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
    const place = l.plan.memory(each * products, name);
    return { place, each };
  };
  const taken = matrices(blocks * from, "blocks");
  const given = matrices(blocks * to, "products");

  const length = packedLength(depth, maps) * floatBytes;
  const half = heldIn(l);
  const constant = l.packed(node.required(1), (numbers) => packedTaps(numbers, convolution));
  const weights = transformedWeights(l, method, constant, length);
  const plain = { other: nowhere, bias: false, epilogue: [] };
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

/** As many matrices as a block has numbers: made once, as far as there is memory for that. */
function transformedWeights(
  l: Lowering,
  { weights: matrix, width, kernel }: Method,
  taps: Place,
  length: number,
): { readonly place: Place; readonly each: number } {
  const each = length + apart;
  const bytes = width ** 2 * each;
  const options = {
    matrix,
    map: "input" as const,
    counts: [1, 1, 1] as const,
    vectors: length / vectorBytes,
    step: 0,
    last: [0, 0] as const,
    steps: [0, kernel * length, length] as const,
    each,
    other: nowhere,
    bias: false,
    epilogue: [],
  };
  const half = heldIn(l);
  const use = uses.get(l);
  if (use !== undefined && bytes <= Math.min(mostPrepared, use.left)) {
    use.left -= bytes;
    const place = l.plan.prepared(bytes, blockTransform, options, (own) => [
      taps,
      own,
      half,
      half,
      half,
    ]);
    return { place, each };
  }
  const place = l.plan.memory(bytes, "weights");
  l.plan.step(blockTransform, options, [taps, place, half, half, half]);
  return { place, each };
}

/** Of a block whose columns are transformed. */
const heldBytes = Math.max(...methods.map(({ width }) => width ** 2)) * vectorBytes;
/** All calls have it at one place: numbers that are alike compress. */
const held = new WeakMap<Lowering, Place>();

function heldIn(l: Lowering): Place {
  const known = held.get(l);
  if (known !== undefined) return known;
  const place = l.plan.memory(heldBytes, "half");
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
function packedTaps(numbers: Float32Array, { maps, depth, kernel }: Convolution): Float32Array {
  const length = packedLength(depth, maps);
  const taps = elementCount(kernel);
  const packed = new Float32Array(taps * length);
  for (let m = 0; m < maps; m += 1)
    for (let c = 0; c < depth; c += 1)
      for (let tap = 0; tap < taps; tap += 1)
        packed[tap * length + packedAt(c, m, depth, maps, panelVectors)] =
          numbers[(m * depth + c) * taps + tap] ?? 0;
  return packed;
}
