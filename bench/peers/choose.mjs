// Which of the files that search.mjs tried a Python user would take.

/** Within so much latencies and sizes are the same. */
export const close = 0.02;

/**
 * Of those within the bar, the fastest and the smallest; of those as fast the smallest, and of those as small the
 * fastest. Where none is within the bar, both are what loses least.
 *
 * @param {readonly { options: string[], size?: number, drop?: number, latency?: number }[]} tried
 */
export function choose(tried, maxDrop) {
  // What is as large as the float model is the float model: it has no such operators.
  const files = tried.filter(({ drop, size = 1 }) => drop !== undefined && size < 1 - close);
  const within = files.filter(({ drop }) => drop <= maxDrop + 1e-9);
  if (within.length === 0) {
    const [gentlest] = [...files].sort((a, b) => a.drop - b.drop || a.size - b.size);
    return { fastest: gentlest, smallest: gentlest };
  }
  return { fastest: first(within, "latency", "size"), smallest: first(within, "size", "latency") };
}

function first(files, by, then) {
  const least = Math.min(...files.map((file) => file[by]));
  const [best] = files
    .filter((file) => file[by] <= least * (1 + close))
    .sort((a, b) => a[then] - b[then]);
  return best;
}
