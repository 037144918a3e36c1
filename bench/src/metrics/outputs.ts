import type { Tensor, Tensors } from "@pare/runtime/format";

/** Half-precision bits as a number. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A tensor's values as numbers, in order; null for strings. Float32 comes as it is. */
export function numbersOf(tensor: Tensor): Float32Array | Float64Array | null {
  const { type, data } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (type === "float16" && data instanceof Uint16Array)
    return Float32Array.from(data, halfToNumber);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return Float64Array.from(data, Number);
  if (ArrayBuffer.isView(data)) return Float64Array.from(data);
  return null;
}

function isFloat(tensor: Tensor): boolean {
  return tensor.type === "float32" || tensor.type === "float64" || tensor.type === "float16";
}

/** The output that metrics read: the first of floats, or else the first. */
export function mainOutput(outputs: Tensors): Tensor | null {
  const all = Object.values(outputs);
  return all.find(isFloat) ?? all[0] ?? null;
}

/**
 * Scores per class where the main output looks like them: floats of one sample, [C], [1, C] or [1, C, 1, 1] with
 * C of at least 2. Null where it does not.
 */
export function classScores(outputs: Tensors): Float32Array | Float64Array | null {
  const output = mainOutput(outputs);
  if (!output || !isFloat(output)) return null;
  const wide = output.dims.filter((dim) => dim !== 1);
  const flat = output.dims.length <= 2 || (output.dims[1] === wide[0] && output.dims[0] === 1);
  return wide.length === 1 && flat && output.dims.length > 0 ? numbersOf(output) : null;
}

export function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < scores.length; index++) {
    if ((scores[index] as number) > (scores[best] as number)) best = index;
  }
  return best;
}

/** The `count` best classes, best first; ties go to the lower class. */
export function topClasses(scores: ArrayLike<number>, count: number): number[] {
  const order = Array.from({ length: scores.length }, (_, index) => index);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  return order.slice(0, count);
}
