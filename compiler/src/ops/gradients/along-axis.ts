import { elementCount } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import type { Backward } from "./backward.js";

/** Which entries of the input, with which weights, make an entry of the result: one list for each of them. */
export type Combination = readonly (readonly {
  readonly index: number;
  readonly weight: number;
}[])[];

/** Of the matrix that an axis is multiplied with: larger ones would be constants of 64 MiB. */
const mostWeights = 2 ** 24;

/**
 * y[o] = Σ weight · x[index] along an axis, backwards: x's cotangent, an axis of `size` entries, from y's.
 * @throws PareError UNSUPPORTED_OP where both axes are long: their product is how many weights there are
 */
export function backAlong(
  backward: Backward,
  cotangent: ValueId,
  axis: number,
  combination: Combination,
  size: number,
): ValueId {
  const { emit } = backward;
  const dims = emit.shape(cotangent);
  const places = combination.length;
  const before = dims.slice(0, axis);
  const inner = dims.slice(axis + 1);
  const result = [...before, size, ...inner];
  const [outer, width] = [elementCount(before), elementCount(inner)];
  const repeats = places / size;
  const repeated = combination.every(
    ([only, ...others], place) =>
      others.length === 0 && only?.weight === 1 && only.index === Math.floor(place / repeats),
  );
  if (repeated && Number.isInteger(repeats))
    return emit.reshape(
      emit.sum(emit.reshape(cotangent, [outer, size, repeats, width]), [2]),
      result,
    );
  if (places * size > mostWeights)
    throw backward.unsupported(`an axis of ${size} becomes one of ${places}`);
  // The last axis is multiplied from the right, any other from the left.
  const isLast = width === 1;
  const matrix = new Float64Array(places * size);
  combination.forEach((parts, place) => {
    for (const { index, weight } of parts) {
      const at = isLast ? place * size + index : index * places + place;
      matrix[at] = (matrix[at] ?? 0) + weight;
    }
  });
  const weights = emit.floats(matrix, isLast ? [places, size] : [size, places], cotangent);
  const product = isLast
    ? emit.node("MatMul", [emit.reshape(cotangent, [outer, places]), weights])
    : emit.node("MatMul", [weights, emit.reshape(cotangent, [outer, places, width])]);
  return emit.reshape(product, result);
}
