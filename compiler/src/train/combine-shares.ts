import type { Statistic } from "./batch-norms.js";
import type { VectorMemory } from "./vector-memory.js";

/** What a share of a batch came to. */
export interface ShareResult {
  readonly loss: number;
  readonly terms: readonly number[];
  /** In the order of the graph's parameters, in the arrays that were given for them. */
  readonly gradients: readonly Float32Array[];
  /** Of batch norms, in the order of the graph's. */
  readonly statistics: readonly Float32Array[];
  /** A row for each sample; null without classes. */
  readonly scores: Float32Array | null;
}

/** What a batch came to of which shares were computed apart. */
export type Combined = Pick<ShareResult, "loss" | "terms" | "gradients" | "statistics">;

/**
 * Puts shares of a batch together, in their order, so that the same numbers give the same sums. Losses are means over
 * samples, so theirs and the gradients' are the shares' weighted by how many samples each has. A batch's variance is that
 * within its shares and that between their means: σ² = Σ w · (σᵢ² + (μᵢ − μ)²).
 * @param results the first one's gradients are written over
 * @param counts samples of each share
 * @param statistics of the graph: each mean with the variance after it
 * @param arrays where the gradients lie
 */
export function combineShares(
  results: readonly ShareResult[],
  counts: readonly number[],
  statistics: readonly Statistic[],
  arrays: VectorMemory,
): Combined {
  const [first, ...others] = results;
  if (first === undefined) return { loss: Number.NaN, terms: [], gradients: [], statistics: [] };
  if (others.length === 0) return first;
  const batch = counts.reduce((sum, count) => sum + count, 0);
  const weights = counts.map((count) => count / batch);
  const mean = (of: (result: ShareResult) => number): number =>
    results.reduce((sum, result, at) => sum + (weights[at] ?? 0) * of(result), 0);
  for (const [at, result] of others.entries())
    for (const [index, gradient] of first.gradients.entries()) {
      const more = result.gradients[index];
      const kept = at === 0 ? (weights[0] ?? 1) : 1;
      if (more !== undefined) arrays.blend(gradient, kept, more, weights[at + 1] ?? 0);
    }
  return {
    loss: mean(({ loss }) => loss),
    terms: first.terms.map((_, index) => mean(({ terms }) => terms[index] ?? Number.NaN)),
    gradients: first.gradients,
    statistics: statistics.map(({ constant }, index) => {
      const isVariance = constant.as === "variance";
      return wholeStatistic(results, weights, isVariance ? index - 1 : index, isVariance);
    }),
  };
}

/** @param at of the mean in the statistics; the variance follows */
function wholeStatistic(
  results: readonly ShareResult[],
  weights: readonly number[],
  at: number,
  isVariance: boolean,
): Float32Array {
  const length = results[0]?.statistics[at]?.length ?? 0;
  const sumOver = (channel: number, of: (mean: number, variance: number) => number): number =>
    results.reduce((sum, { statistics }, share) => {
      const [mean = 0, variance = 0] = [statistics[at]?.[channel], statistics[at + 1]?.[channel]];
      return sum + (weights[share] ?? 0) * of(mean, variance);
    }, 0);
  return Float32Array.from({ length }, (_, channel) => {
    const whole = sumOver(channel, (mean) => mean);
    return isVariance
      ? sumOver(channel, (mean, variance) => variance + (mean - whole) ** 2)
      : whole;
  });
}
