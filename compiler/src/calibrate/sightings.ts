import { distributionOf, Observer } from "@pare/runtime/format";
import type { ValueId } from "../ir/index.js";
import { uint8Activations } from "../quantize/format.js";
import { observedRange } from "../quantize/observed-range.js";
import type { Range } from "../quantize/scale.js";
import type { Sighting } from "./observed-graph.js";

/** What was seen of some samples and of others, of the same watched graph, together. */
export function both(some: Sighting, others: Sighting): Sighting {
  return {
    extremes: merged(some.extremes, others.extremes, (a, b) => ({
      min: Math.min(a.min, b.min),
      max: Math.max(a.max, b.max),
    })),
    histograms: merged(some.histograms, others.histograms, (a, b) => {
      const observer = new Observer();
      observer.merge(a);
      observer.merge(b);
      return observer.observation;
    }),
    channelSums: some.channelSums.map((one, index) => {
      const more = others.channelSums[index]?.sums;
      return { ...one, sums: one.sums.map((sum, channel) => sum + (more?.[channel] ?? 0)) };
    }),
    sizes: merged(some.sizes, others.sizes, (a, b) => a + b),
  };
}

/**
 * How far ranges moved as more was seen: of each value the end that moved more, as a share of the range's width, and the
 * mean of that over the values. Of a distribution the range is that of its percentiles. Infinite where there is none.
 */
export function movement(before: Sighting, after: Sighting): number {
  const earlier = rangesOf(before);
  let sum = 0;
  let count = 0;
  for (const [value, { min, max }] of rangesOf(after)) {
    const { min: low, max: high } = earlier.get(value) ?? { min: 0, max: 0 };
    const width = max - min;
    if (!(width > 0 && width < Infinity)) continue;
    sum += Math.max(Math.abs(low - min), Math.abs(max - high)) / width;
    count += 1;
  }
  return count === 0 ? Infinity : sum / count;
}

function rangesOf({ extremes, histograms }: Sighting): ReadonlyMap<ValueId, Range> {
  const ranges = new Map(extremes);
  for (const [value, observation] of histograms)
    ranges.set(value, observedRange(distributionOf(observation), "percentile", uint8Activations));
  return ranges;
}

function merged<K, V>(
  some: ReadonlyMap<K, V>,
  others: ReadonlyMap<K, V>,
  merge: (a: V, b: V) => V,
): ReadonlyMap<K, V> {
  const all = new Map(some);
  for (const [key, value] of others) {
    const known = all.get(key);
    all.set(key, known === undefined ? value : merge(known, value));
  }
  return all;
}
