import type { Interval } from "@pare/runtime/format";

/** ln Γ(x), Lanczos with g = 7 and nine terms; relative error below 1e-13 for x > 0. */
function logGamma(x: number): number {
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
    1.5056327351493116e-7,
  ];
  let sum = coefficients[0] as number;
  for (let term = 1; term < 9; term++) sum += (coefficients[term] as number) / (x - 1 + term);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/**
 * P(X ≤ k) for X ~ Binomial(n, p). Summed over the tail that `k` lies in, from `k` outward: there each term is less than
 * the one before, by a factor that needs no logarithm, and after a few of the distribution's widths nothing is added.
 */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  return k > n * p ? 1 - lowerTail(n - k - 1, n, 1 - p) : lowerTail(k, n, p);
}

/** P(X ≤ k) for k that is at most one above the mean. */
function lowerTail(k: number, n: number, p: number): number {
  let term = Math.exp(logChoose(n, k) + k * Math.log(p) + (n - k) * Math.log1p(-p));
  let sum = 0;
  for (let i = k; i >= 0 && sum + term !== sum; i--) {
    sum += term;
    term *= (i / (n - i + 1)) * ((1 - p) / p);
  }
  return Math.min(1, sum);
}

/** Finds where a falling function of p in [0, 1] crosses `level`. */
function crossing(falling: (p: number) => number, level: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (falling(middle) > level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Clopper–Pearson: the exact two-sided interval of a proportion of `count` in `n`. [0, 1] when n is 0. */
export function clopperPearson(count: number, n: number, confidence = 0.95): Interval {
  if (n === 0) return [0, 1];
  const tail = (1 - confidence) / 2;
  const low = count === 0 ? 0 : crossing((p) => binomialCdf(count - 1, n, p), 1 - tail);
  const high = count === n ? 1 : crossing((p) => binomialCdf(count, n, p), tail);
  return [low, high];
}
