import { f32x4, floats, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { multiplyAdd } from "./multiply-add.js";

/** What it holds in between: a function that has them first has them in locals of the same numbers as others. */
export const sharedLocals = ["even", "odd", "sum 0", "difference 0", "sum 1", "difference 1"];

/**
 * P · x, by row. What rows share is computed once, as it is in transforms: neighbours that are multiplied alike but for their
 * sign, by their sum and their difference; and rows that differ in the sign of every other number, by what both have.
 */
export function transformed(
  f: FunctionBuilder,
  matrix: readonly (readonly number[])[],
  x: readonly Vector[],
  write: (row: number, value: Vector) => void,
  fused: boolean,
): void {
  const pairs = pairsOf(matrix);
  const terms = [...x];
  pairs.forEach((at, pair) => {
    const [sum, difference] = [f.scratch(`sum ${pair}`), f.scratch(`difference ${pair}`)];
    const [one, next] = [x[at] ?? sum, x[at + 1] ?? sum];
    f.set(sum, f32x4.add(one, next));
    f.set(difference, f32x4.subtract(one, next));
    terms[at] = sum;
    terms[at + 1] = difference;
  });
  const rows = matrix.map((row) => {
    const own = [...row];
    for (const at of pairs) {
      const isSum = (row[at] ?? 0) === (row[at + 1] ?? 0);
      own[isSum ? at + 1 : at] = 0;
      own[isSum ? at : at + 1] = row[at] ?? 0;
    }
    return own;
  });
  for (let row = 0; row < rows.length; row += 1) {
    const [own = [], next] = [rows[row], rows[row + 1]];
    if (next === undefined || !areMirrored(own, next)) {
      write(row, combined(f, own, terms, fused));
      continue;
    }
    const [even, odd] = [f.scratch("even"), f.scratch("odd")];
    f.set(even, combined(f, own.map((by, at) => (at % 2 === 0 ? by : 0)), terms, fused)); // prettier-ignore
    f.set(odd, combined(f, own.map((by, at) => (at % 2 === 1 ? by : 0)), terms, fused)); // prettier-ignore
    write(row, f32x4.add(even, odd));
    write(row + 1, f32x4.subtract(even, odd));
    row += 1;
  }
}

/** First of two columns that hold the same but for signs, not everywhere the same sign. */
function pairsOf(matrix: readonly (readonly number[])[]): readonly number[] {
  const pairs: number[] = [];
  const width = matrix[0]?.length ?? 0;
  for (let at = 0; at + 1 < width; at += 1) {
    const both = matrix.map((row) => [row[at] ?? 0, row[at + 1] ?? 0] as const);
    const isAlike = both.every(([one, next]) => Math.abs(one) === Math.abs(next));
    const isUsed = both.some(([one, next]) => one !== next) && both.some(([one, next]) => one === next && one !== 0); // prettier-ignore
    if (!isAlike || !isUsed) continue;
    pairs.push(at);
    at += 1;
  }
  return pairs;
}

/** Is one the other with every other number of the other sign, and more than that? */
function areMirrored(one: readonly number[], other: readonly number[]): boolean {
  const isMirrored = one.every((by, at) => (other[at] ?? 0) === (at % 2 === 0 ? by : -by));
  const counts = [0, 1].map((odd) => one.filter((by, at) => by !== 0 && at % 2 === odd).length);
  return isMirrored && counts.every((count) => count > 0) && Math.max(...counts) > 1;
}

/** Σ by · x, what is added before what is taken off; factors of one size are taken out. */
function combined(
  f: FunctionBuilder,
  by: readonly number[],
  x: readonly Vector[],
  fused: boolean,
): Vector {
  const terms = by
    .flatMap((factor, at) => (factor === 0 ? [] : [{ factor, of: x[at] ?? floats(0) }]))
    .toSorted((a, b) => b.factor - a.factor);
  const [first, ...rest] = terms;
  if (first === undefined) return floats(0);
  const size = Math.abs(first.factor);
  const isOneSize = terms.every(({ factor }) => Math.abs(factor) === size);
  if (isOneSize) {
    const start = first.factor < 0 ? f32x4.negate(first.of) : first.of;
    const sum = rest.reduce(
      (total, { factor, of }) => (factor < 0 ? f32x4.subtract : f32x4.add)(total, of),
      start,
    );
    return size === 1 ? sum : f32x4.multiply(sum, f.splat(size));
  }
  // Factors of one first: the others are added with a product each.
  const ordered = terms.toSorted((a, b) => Number(Math.abs(a.factor) !== 1) - Number(Math.abs(b.factor) !== 1)); // prettier-ignore
  return ordered.slice(1).reduce<Vector>(
    (total, { factor, of }) => {
      if (factor === 1) return f32x4.add(total, of);
      if (factor === -1) return f32x4.subtract(total, of);
      return multiplyAdd(of, f.splat(factor), total, fused);
    },
    startOf(f, ordered[0]),
  );
}

function startOf(
  f: FunctionBuilder,
  term: { readonly factor: number; readonly of: Vector } | undefined,
): Vector {
  if (term === undefined) return floats(0);
  if (term.factor === 1) return term.of;
  return term.factor === -1 ? f32x4.negate(term.of) : f32x4.multiply(term.of, f.splat(term.factor));
}
