import { PareError } from "@pare/runtime/format";

export interface LayerWish {
  /** How many of the repeated layers are left, or which, counted from 0. */
  readonly layers: number | readonly number[] | undefined;
  /** The share that is left, where `layers` does not say; rounded to whole layers, at least one. */
  readonly keep: number;
  /** Where the wish stands, for messages. */
  readonly where: string;
}

/**
 * How many layers are left, or which.
 * @throws PareError RECIPE where there are no repeated layers, or not those that are wished
 */
export function wishedLayers(
  total: number,
  { layers, keep, where }: LayerWish,
): number | readonly number[] {
  if (total === 0) {
    throw new PareError("RECIPE", "The model has no layers that repeat.", {
      where,
      hint: "Layers are found where the same operators follow one another around a sum, as in transformers and residual networks, and nothing inside them is an output. `prune` takes channels out of any model.",
    });
  }
  if (layers === undefined) return Math.max(1, Math.round(keep * total));
  const wrong = typeof layers === "number" ? layers > total : layers.some((one) => one >= total);
  if (wrong) {
    throw new PareError("RECIPE", `The model has ${total} layers that repeat.`, {
      where,
      hint: `Keep at most ${total}; they are counted from 0 to ${total - 1}.`,
    });
  }
  return typeof layers === "number" ? layers : [...new Set(layers)].sort((a, b) => a - b);
}

/** The first and the last, and those between at even distances; of one, the first. */
export function spreadEvenly(total: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) =>
    count === 1 ? 0 : Math.round((index * (total - 1)) / (count - 1)),
  );
}

/** Those with the highest scores; of equals, the earlier. */
export function highest(scores: readonly number[], count: number): readonly number[] {
  return [...scores.keys()]
    .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}
