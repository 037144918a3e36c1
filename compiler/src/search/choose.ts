import type { Latency, Measurement } from "@pare/runtime/format";

/** Two ratios this close are the same. */
const tieBand = 0.02;

export type Order = "faster" | "slower" | "tie";

/** What the rule of choice needs to know of a candidate. */
export interface Contender {
  readonly name: string;
  readonly measurement: Measurement;
}

export function latencyOf(measurement: Measurement): Latency | null {
  return "unmeasured" in measurement.latencyMs ? null : measurement.latencyMs;
}

/**
 * Is `a` faster than `b`? Both were timed against the same baseline. A tie where the ratio's whole interval lies
 * within ±2 %, where it does not clear that band (inconclusive), and where one of them was not timed.
 */
export function compareLatency(a: Measurement, b: Measurement): Order {
  const first = ratioOf(a);
  const second = ratioOf(b);
  if (first === null || second === null) return "tie";
  const low = first.low / second.high;
  const high = first.high / second.low;
  if (high < 1 - tieBand) return "faster";
  if (low > 1 + tieBand) return "slower";
  return "tie";
}

/** Median and interval as ratios to the baseline; the baseline itself is exactly 1. */
function ratioOf(measurement: Measurement): { low: number; high: number; median: number } | null {
  const latency = latencyOf(measurement);
  if (latency === null) return null;
  if (latency.ratio === null) return { low: 1, high: 1, median: 1 };
  const [low, high] = latency.ratioInterval ?? [latency.ratio, latency.ratio];
  return { low, high, median: latency.ratio };
}

/**
 * Orders accepted candidates, best first. Latency: the lowest median, and among those that tie with it the smallest
 * after brotli. Size: the smallest after brotli, and among equal sizes the fastest. What was not timed is ordered by
 * size alone.
 */
export function rank<C extends Contender>(
  accepted: readonly C[],
  prefer: "latency" | "size",
): readonly C[] {
  const rest = [...accepted];
  const ranked: C[] = [];
  while (rest.length > 0) {
    const best = pick(rest, prefer);
    if (best === undefined) break;
    ranked.push(best);
    rest.splice(rest.indexOf(best), 1);
  }
  return ranked;
}

function pick<C extends Contender>(
  candidates: readonly C[],
  prefer: "latency" | "size",
): C | undefined {
  const bySize = [...candidates].sort((a, b) => brotli(a) - brotli(b) || median(a) - median(b));
  if (prefer === "size") return bySize[0];
  const fastest = candidates.reduce<C | undefined>(
    (best, one) => (best === undefined || median(one) < median(best) ? one : best),
    undefined,
  );
  if (fastest === undefined) return undefined;
  return bySize.find((one) => compareLatency(one.measurement, fastest.measurement) === "tie");
}

const brotli = (candidate: Contender): number => candidate.measurement.sizeBytes.brotli;
const median = (candidate: Contender): number => ratioOf(candidate.measurement)?.median ?? 1;
