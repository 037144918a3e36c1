import type { SampleSet } from "@pare/runtime/format";
import { groupUnits } from "../statistics/bootstrap.js";
import { seeded, shuffle } from "../statistics/random.js";

/**
 * A split's samples in an order drawn from the seed, the same for all models: the first fifty are from all over the
 * split, however it was sorted, and are among the first two hundred. Steps of a sequence stay behind one another.
 */
export function sampleOrder(
  indexes: readonly number[],
  seed: number,
  { sequences }: Pick<SampleSet, "sequences"> = {},
): readonly number[] {
  const random = seeded(seed ^ 0x5eed);
  if (sequences === undefined) return shuffle([...indexes], random);
  const ascending = [...indexes].sort((one, other) => one - other);
  const units = groupUnits(ascending.map((index) => String(sequences.startOf(index))));
  return shuffle(units, random)
    .flat()
    .map((position) => ascending[position] ?? 0);
}

/** With fewer, how sequences differ is hardly seen, and steps of one tell little more than one of them does. */
const fewestSequences = 20;

/** The first samples of an order, at least so many; of sequences whole ones, and at least twenty of them. */
export function firstOf(
  order: readonly number[],
  count: number,
  { sequences }: Pick<SampleSet, "sequences">,
): readonly number[] {
  if (sequences === undefined) return order.slice(0, count);
  let begun = 0;
  for (const [at, index] of order.entries()) {
    const before = order[at - 1];
    if (before !== undefined && sequences.startOf(before) === sequences.startOf(index)) continue;
    if (at >= count && begun >= fewestSequences) return order.slice(0, at);
    begun += 1;
  }
  return order;
}
