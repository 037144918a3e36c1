import type { Gain } from "../../targets/gains.js";

/** Next to the simplified float model: ratios below 1 are gains. */
export interface Ratios {
  readonly latency: number;
  readonly size: number;
}

/** What could not be told apart is the same up to here, where its size says something. */
export const undecidedBand = 0.03;
/** What a difference in size is worth beside one in latency: it decides only between those that are as fast. */
const lesserShare = 0.15;
/** Standard deviation of the logarithm of a size: tables know it well. */
const sizeSpread = 0.05;

/**
 * The gain to expect over what is best so far: of logarithms, latency's first or size's. What may turn out better than its
 * table says is worth something even where that says no.
 */
export function expectedWorth(
  { latency, latencySpread, size, accepted }: Gain,
  best: Ratios,
  prefer: "latency" | "size",
): number {
  const faster = improvement(Math.log(best.latency / latency), latencySpread);
  const smaller = improvement(Math.log(best.size / size), sizeSpread);
  const [first, second] = prefer === "size" ? [smaller, faster] : [faster, smaller];
  return accepted * (first + lesserShare * second);
}

/**
 * The same of what is known by its ratios alone: 0 where it is no better, by as much as tells two files apart, in what is
 * preferred, nor as good there and better in the other.
 */
export function surplus(own: Ratios, best: Ratios, prefer: "latency" | "size"): number {
  const ratios = [best.latency / own.latency, best.size / own.size];
  const [first = 0, second = 0] = (prefer === "size" ? ratios.reverse() : ratios).map((ratio) =>
    Math.abs(Math.log(ratio)) < Math.log1p(undecidedBand) ? 0 : Math.log(ratio),
  );
  const isBetter = first > 0 || (first === 0 && second > 0);
  return isBetter ? first + lesserShare * second : 0;
}

/** As fast as the float model, which is sure. */
const asFloat = { latency: 1, latencySpread: 0 };

/** How likely it is to be faster than another one. */
export function fasterShare(
  { latency, latencySpread }: Gain,
  other: Pick<Gain, "latency" | "latencySpread"> = asFloat,
): number {
  const spread = Math.hypot(latencySpread, other.latencySpread);
  return cumulative(Math.log(other.latency / latency) / spread);
}

/**
 * Mean of the positive part of a normal distribution: μ·Φ(μ/σ) + σ·φ(μ/σ), the "expected improvement" of Jones, Schonlau
 * and Welch (1998), equation 15.
 */
export function improvement(mean: number, spread: number): number {
  const z = mean / spread;
  return Math.max(0, mean * cumulative(z) + spread * densityAt(z));
}

/** φ(z). */
function densityAt(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** Φ(z), within 7.5e-8: Abramowitz and Stegun, formula 26.2.17. */
export function cumulative(z: number): number {
  const density = densityAt(z);
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z < 0 ? density * series : 1 - density * series;
}
