// What mutants and windows are drawn with.
import { randomStream as numbers } from "../../../../fixtures/scripts/random.mjs";

/** Choices by a seed. */
export function randomStream(seed) {
  const next = numbers(seed);
  const below = (count) => Math.floor(next() * count);
  return { next, below, of: (list) => list[below(list.length)], chance: (p) => next() < p };
}
