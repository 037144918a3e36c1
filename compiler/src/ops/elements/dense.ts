import { elementCount, type Dtype, type Tensor as Dense } from "@pare/runtime/format";
import { isWide, pack, unpackNumbers, workingArray } from "./arrays.js";

/** A tensor of a dtype from numbers that it can hold; what lies between is rounded as its array does. */
export function denseOf(type: Dtype, dims: readonly number[], values: ArrayLike<number>): Dense {
  const array = workingArray(type, elementCount(dims));
  if (isWide(array)) for (let i = 0; i < array.length; i += 1) array[i] = BigInt(values[i] ?? 0);
  else array.set(values);
  return pack(type, dims, array);
}

/** Elements of an input that may be left out. */
export function numbersOrUndefined(input: Dense | null | undefined): ArrayLike<number> | undefined {
  return input === null || input === undefined ? undefined : unpackNumbers(input);
}
