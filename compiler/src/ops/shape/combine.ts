import { type Dim, isStatic } from "../../ir/index.js";
import { broadcastIndices } from "../families/indexing.js";
import { isItself, isShort } from "./integers.js";
import type { InferContext } from "./rule.js";

/**
 * One operation on the integers that the first inputs hold, broadcast; undefined where an input's or a result are
 * not known.
 */
export function combine(
  context: InferContext,
  inputs: number,
  shape: readonly Dim[] | undefined,
  operation: (...values: readonly [Dim, Dim, Dim]) => Dim | undefined,
): readonly Dim[] | undefined {
  if (shape === undefined || !isStatic(shape) || !isShort(shape)) return undefined;
  const operands = Array.from({ length: inputs }, (_, input) => context.elements(input));
  if (!operands.every((elements) => elements?.every(isItself) === true)) return undefined;
  const columns: Dim[][] = [];
  for (const [input, elements] of operands.entries()) {
    const from = context.shape(input);
    if (from === undefined || !isStatic(from)) return undefined;
    const column = Array.from(broadcastIndices(from, shape), (at) => elements?.[at]);
    if (!column.every((value) => value !== undefined)) return undefined;
    columns.push(column);
  }
  const results: Dim[] = [];
  for (let at = 0; at < (columns[0]?.length ?? 0); at += 1) {
    const [first = 0, second = 0, third = 0] = columns.map((column) => column[at]);
    const result = operation(first, second, third);
    if (result === undefined) return undefined;
    results.push(result);
  }
  return results;
}
