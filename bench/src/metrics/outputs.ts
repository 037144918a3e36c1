import { numbersOf, type Tensor, type Tensors } from "@pare/runtime/format";

export function isFloat(tensor: Tensor): boolean {
  return ["float32", "float64", "float16", "bfloat16"].includes(tensor.type);
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

/** Fewer numbers are of length 1 by chance, now and then. */
const fewestOfDirection = 16;

/** Numbers of length 1, some below 0, as of faces and sentences that are compared by angles: no class is the best of them. */
export function isDirection(numbers: ArrayLike<number>): boolean {
  if (numbers.length < fewestOfDirection) return false;
  const all = Array.from(numbers);
  const squares = all.reduce((sum, one) => sum + one * one, 0);
  return Math.abs(squares - 1) < 1e-3 && all.some((one) => one < 0);
}

/** The best class; NaN, which is none, where a score is no number. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let index = 0; index < scores.length; index++) {
    if (Number.isNaN(scores[index])) return Number.NaN;
    if ((scores[index] as number) > (scores[best] as number)) best = index;
  }
  return best;
}

/** The `count` best classes, best first; ties go to the lower class. None where a score is no number. */
export function topClasses(scores: ArrayLike<number>, count: number): number[] {
  if (Number.isNaN(argmax(scores))) return [];
  const order = Array.from({ length: scores.length }, (_, index) => index);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  return order.slice(0, count);
}
