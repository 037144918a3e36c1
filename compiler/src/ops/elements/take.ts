import {
  type Dtype,
  dtypeBits,
  elementCount,
  PareError,
  type Tensor as Dense,
  type TypedArray,
  zeros,
} from "@pare/runtime/format";
import { isWide, type NumberArray, pack, unpack, type WideArray, workingArray } from "./arrays.js";

/** The elements at `indices`, of any dtype; where an index is negative, the scalar `fill` (zero, or empty text). */
export function take(
  from: Dense,
  indices: ArrayLike<number>,
  dims: readonly number[],
  fill?: Dense | null,
): Dense {
  const { data, type } = from;
  if (!ArrayBuffer.isView(data)) {
    const text = fill === undefined || fill === null ? "" : String(fill.data[0]);
    return { type, dims, data: Array.from(indices, (at) => (at < 0 ? text : (data[at] ?? ""))) };
  }
  const source = held(from);
  const filling = fill === undefined || fill === null ? 0 : (held(fill)[0] ?? 0);
  const isPacked = dtypeBits[type] < 8;
  const result = isPacked
    ? workingArray(type, elementCount(dims))
    : zeros(type as Exclude<Dtype, "string">, elementCount(dims));
  if (isWide(source)) takeWide(source, indices, BigInt(filling), result as WideArray);
  else takeNumbers(source, indices, Number(filling), result as NumberArray);
  return isPacked ? pack(type, dims, result) : { type, dims, data: result };
}

/** Elements as they are held, packed ones apart: moving them needs no decoding. */
function held(tensor: Dense): TypedArray {
  if (dtypeBits[tensor.type] < 8 || tensor.type.startsWith("complex")) return unpack(tensor);
  return tensor.data as TypedArray;
}

function takeWide(
  source: WideArray,
  indices: ArrayLike<number>,
  fill: bigint,
  result: WideArray,
): void {
  for (let i = 0; i < result.length; i += 1) {
    const at = indices[i] ?? -1;
    result[i] = at < 0 ? fill : (source[at] ?? 0n);
  }
}

function takeNumbers(
  source: NumberArray,
  indices: ArrayLike<number>,
  fill: number,
  result: NumberArray,
): void {
  for (let i = 0; i < result.length; i += 1) {
    const at = indices[i] ?? -1;
    result[i] = at < 0 ? fill : (source[at] ?? 0);
  }
}

/** The elements of tensors of one dtype, one tensor after the other, as one of rank 1. */
export function join(tensors: readonly Dense[]): Dense {
  const [first] = tensors;
  if (first === undefined) throw new PareError("MODEL_SHAPE", "There is nothing to join.");
  const { type } = first;
  if (type === "string") {
    const data = tensors.flatMap((tensor) => (ArrayBuffer.isView(tensor.data) ? [] : tensor.data));
    return { type, dims: [data.length], data };
  }
  const parts = tensors.map(held);
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  const isPacked = dtypeBits[type] < 8;
  const result = isPacked ? workingArray(type, count) : zeros(type, count);
  let at = 0;
  for (const part of parts) {
    if (isWide(result) && isWide(part)) result.set(part, at);
    else (result as NumberArray).set(part as NumberArray, at);
    at += part.length;
  }
  return isPacked ? pack(type, [count], result) : { type, dims: [count], data: result };
}

/** The same elements under other dims. */
export function reshaped(from: Dense, dims: readonly number[]): Dense {
  return { type: from.type, dims, data: from.data };
}
