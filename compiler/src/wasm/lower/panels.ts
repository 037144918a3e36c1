import type { ValueId } from "../../ir/index.js";
import { floatBytes, vectorsOf } from "../kernels/kernel.js";
import { packedAt, packedLength } from "../kernels/matrix.js";
import { collapsed } from "../kernels/nest.js";
import { pack } from "../kernels/pack.js";
import type { Place } from "../plan/plan.js";
import { sizeAt, stepAt, type View } from "../plan/view.js";
import type { Lowering } from "./lowering.js";
import type { Packing } from "./packed-integers.js";

/** Vectors in a panel of weights: what the tiles of both engines hold. */
export const panelVectors = 2;

/** Three vectors are a panel of their own: 4 places × 3 vectors read less for each product than 6 × 2 and 6 × 1. */
export function panelOf(outputs: number): number {
  return vectorsOf(outputs) === 3 ? 3 : panelVectors;
}

/** Of a convolution: the k-th of all that are summed up, for a map of a group. */
export type WeightOf = (k: number, map: number, group: number) => number;
/** The same of its weights' numbers as they are stored. */
export type WeightsOf = (numbers: Float32Array) => WeightOf;

/** By group panels of maps, with the weights in the order in which the input is read. */
export function packedGroups(
  weightOf: WeightOf,
  group: number,
  maps: number,
  total: number,
): Float32Array {
  const length = packedLength(total, maps);
  const packed = new Float32Array(length * group);
  for (let own = 0; own < group; own += 1)
    for (let k = 0; k < total; k += 1)
      for (let map = 0; map < maps; map += 1)
        packed[own * length + packedAt(k, map, total, maps, panelOf(maps))] = weightOf(k, map, own);
  return packed;
}

/** A product's right operand in panels: where they are, and by axis the bytes from one matrix of a batch to the next. */
export interface Panels {
  readonly place: Place;
  readonly steps: readonly number[];
}

/** By axis of a product of `rank` axes; 0 for what is the same for all. */
function batchSteps(
  batch: readonly number[],
  matrixBytes: number,
  rank: number,
): readonly number[] {
  const steps: number[] = Array.from({ length: rank }, () => 0);
  let step = matrixBytes;
  [...batch].reverse().forEach((size, at) => {
    if (size > 1) steps[rank - 3 - at] = step;
    step *= size;
  });
  return steps;
}

/** Constant matrices, [batch…, depth, n]: a value's numbers in that order, times a factor. */
export interface ConstantMatrices {
  readonly value: ValueId;
  readonly arranged: Packing;
  readonly factor?: number;
  readonly dims: readonly number[];
}

/** They are packed now. */
export function packedMatrices(
  l: Lowering,
  { value, arranged, factor = 1, dims }: ConstantMatrices,
  rank: number,
): Panels {
  const [depth = 1, n = 1] = dims.slice(-2);
  const batch = dims.slice(0, -2);
  const count = batch.reduce((product, size) => product * size, 1);
  const length = packedLength(depth, n);
  const pack: Packing = (given) => {
    const numbers = arranged(given);
    const packed = new Float32Array(length * count);
    for (let at = 0; at < count; at += 1)
      for (let k = 0; k < depth; k += 1)
        for (let j = 0; j < n; j += 1) {
          const number = numbers[(at * depth + k) * n + j] ?? 0;
          packed[at * length + packedAt(k, j, depth, n, panelVectors)] = number;
        }
    return packed;
  };
  const place = l.packed(value, pack, factor);
  return { place, steps: batchSteps(batch, length * floatBytes, rank) };
}

/** Computed matrices, packed at each run, unless they are there before it. */
export function packedView(l: Lowering, view: View, rank: number): Panels {
  return l.onceWith(view, () => packedNow(l, view, rank));
}

function packedNow(l: Lowering, view: View, rank: number): Panels {
  const { dims } = view;
  const [depth = 1, n = 1] = dims.slice(-2);
  const batch = dims.slice(0, -2);
  const matrixBytes = packedLength(depth, n) * floatBytes;
  const count = batch.reduce((product, size) => product * size, 1);
  const place = l.plan.memory(count * matrixBytes, "panels");
  const steps = batchSteps(batch, matrixBytes, rank);
  const added = rank - dims.length;
  l.plan.step(
    pack,
    {
      batch: collapsed(
        batch.map((size, axis) => ({
          count: size,
          steps: [sizeAt(view, axis) === 1 ? 0 : stepAt(view, axis), steps[axis + added] ?? 0],
        })),
      ),
      depth,
      outputs: n,
      depthStep: depth === 1 ? floatBytes : stepAt(view, dims.length - 2),
      outputStep: n === 1 ? floatBytes : stepAt(view, dims.length - 1),
      panel: panelVectors,
    },
    [view.place, place],
  );
  return { place, steps };
}
