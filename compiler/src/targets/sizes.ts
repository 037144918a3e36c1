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
  const entries = Object.entries(sizes);
  // A file may have thousands of free dims; those of one size are taken at once.
  const single = entries.flatMap(([symbol, [size, ...others]]) =>
    size === undefined || others.length > 0 ? [] : [[symbol, size] as const],
  );
  let all: readonly Readonly<Record<string, number>>[] = [Object.fromEntries(single)];
  for (const [symbol, own] of entries) {
    if (own.length === 1) continue;
    if (all.length * own.length > mostEntries)
      throw new PareError("ARGUMENT", `The sizes come to more than ${mostEntries} ways.`, {
        where: symbol,
        hint: "Give fewer sizes with --dim.",
      });
    all = all.flatMap((before) => own.map((size) => ({ ...before, [symbol]: size })));
  }
  return all;
}
