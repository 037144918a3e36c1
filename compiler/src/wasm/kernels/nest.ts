import { type Expression, i32, i32Add, type Local } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";

/** One loop of a nest: how often, and by how many bytes each pointer moves from one round to the next. */
export interface Axis {
  readonly count: number;
  readonly steps: readonly number[];
}

/**
 * Writes loops within loops, the outermost axis first; every pointer stands where the round's element is. An inner loop
 * leaves its pointers behind its last element, and the step of the loop around it takes that off: one addition a round,
 * and no copies of pointers.
 * @param body may leave pointers moved, and says by how much
 * @param number what counts and steps are written as: constants, or numbers that callers pass
 * @returns by how much each pointer is moved after the nest
 */
export function nest(
  f: FunctionBuilder,
  axes: readonly Axis[],
  pointers: readonly Local<"i32">[],
  body: () => readonly number[] | void,
  number: (value: number) => Expression<"i32"> = i32,
): readonly number[] {
  const [axis, ...inner] = axes;
  if (axis === undefined) return body() ?? pointers.map(() => 0);
  const round = (): void => {
    const moved = nest(f, inner, pointers, body, number);
    pointers.forEach((pointer, at) => {
      const bytes = (axis.steps[at] ?? 0) - (moved[at] ?? 0);
      if (bytes !== 0) f.set(pointer, i32Add(pointer, number(bytes)));
    });
  };
  if (axis.count > 1) f.times(axis.count, round, number(axis.count));
  else f.times(axis.count, round);
  return pointers.map((_, at) => axis.count * (axis.steps[at] ?? 0));
}

/** The same nest with fewer loops: without those of one round, and with those joined that follow on one another. */
export function collapsed(axes: readonly Axis[]): readonly Axis[] {
  const result: Axis[] = [];
  for (const axis of axes) {
    if (axis.count === 1) continue;
    const outer = result.at(-1);
    const follows =
      outer?.steps.every((step, at) => step === axis.count * (axis.steps[at] ?? 0)) ?? false;
    if (outer === undefined || !follows) result.push(axis);
    else result[result.length - 1] = { count: outer.count * axis.count, steps: axis.steps };
  }
  return result;
}

/** Calls `visit` with the pointers of every round of a nest, slowly. */
export function walk(
  axes: readonly Axis[],
  at: readonly number[],
  visit: (at: readonly number[]) => void,
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) return visit(at);
  for (let round = 0; round < axis.count; round += 1)
    walk(
      inner,
      at.map((pointer, index) => pointer + round * (axis.steps[index] ?? 0)),
      visit,
    );
}

/** `count` in parts of at most `most`, as equal as they can be: sizes, and how many there are of each. */
export function balanced(
  count: number,
  most: number,
): readonly { readonly size: number; readonly count: number }[] {
  const parts = Math.ceil(count / most);
  if (parts === 0) return [];
  const size = Math.floor(count / parts);
  const larger = count - parts * size;
  return [
    { size: size + 1, count: larger },
    { size, count: parts - larger },
  ].filter((part) => part.count > 0);
}

/** The same in equal parts where parts at most a third smaller than `most` divide it: one size is half the code of two. */
export function equal(
  count: number,
  most: number,
): readonly { readonly size: number; readonly count: number }[] {
  for (let size = most; size >= (2 * most) / 3; size -= 1)
    if (count % size === 0) return [{ size, count: count / size }];
  return balanced(count, most);
}
