import type { Interval } from "@pare/runtime/format";

/** Of how ratios of two times differ from block to block on a machine that others use too, and so many blocks' worth of that. */
const [usualSpread, usualWeight] = [0.03, 4];

/** Student's t at 0.995, by degrees of freedom from `usualWeight` on: 99 % on two sides. */
const quantiles = [4.604, 4.032, 3.707, 3.499, 3.355, 3.25, 3.169];

/**
 * The 99 % interval of a ratio from so few that no resample of them tells how far they may lie: of their logarithms, with a
 * variance that is theirs and, as if of four more, the usual one (a scaled inverse-χ² prior; Gelman et al., Bayesian Data
 * Analysis, 2.6). A single one lies within the usual.
 * @param ratios one to seven, above 0
 */
export function fewRatiosInterval(ratios: readonly number[]): Interval {
  const logs = ratios.map(Math.log);
  const count = logs.length;
  const mean = logs.reduce((sum, each) => sum + each, 0) / count;
  const squares = logs.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const freedom = usualWeight + count - 1;
  const variance = (usualWeight * usualSpread ** 2 + squares) / freedom;
  const reach = (quantiles[count - 1] ?? 3) * Math.sqrt(variance / count);
  return [Math.exp(mean - reach), Math.exp(mean + reach)];
}
