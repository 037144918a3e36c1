import { PareError } from "@pare/runtime/format";

/** By a free dim, the sizes that a model is wanted for: files of a target that fixes sizes have an entry for each. */
export type Sizes = Readonly<Record<string, readonly number[]>>;

/** More entries than this would be more code than anyone waits for. */
const mostEntries = 64;

/**
 * One size of each dim, in every way; where none has several, one way of none.
 * @throws PareError ARGUMENT for more than 64
 */
export function combinedSizes(sizes: Sizes): readonly Readonly<Record<string, number>>[] {
  let all: readonly Readonly<Record<string, number>>[] = [{}];
  for (const [symbol, own] of Object.entries(sizes)) {
    if (all.length * own.length > mostEntries)
      throw new PareError("ARGUMENT", `The sizes come to more than ${mostEntries} ways.`, {
        where: symbol,
        hint: "Give fewer sizes with --dim.",
      });
    all = all.flatMap((before) => own.map((size) => ({ ...before, [symbol]: size })));
  }
  return all;
}
