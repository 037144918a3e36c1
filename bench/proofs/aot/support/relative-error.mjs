/**
 * The largest difference over all outputs, each over its largest number: one below a hundredth counts as that. Infinite where one
 * is no number, or infinite, and the other is not so.
 */
export function relativeError(expected, actual) {
  let worst = 0;
  for (const [name, { data, dims }] of Object.entries(expected)) {
    const other = actual[name];
    if (other?.dims.join() !== dims.join()) return Infinity;
    let [largest, apart] = [0.01, 0];
    for (const [at, value] of data.entries()) {
      if (Number.isFinite(Number(value))) largest = Math.max(largest, Math.abs(Number(value)));
      if (Object.is(value, other.data[at])) continue;
      const own = Math.abs(Number(value) - Number(other.data[at]));
      if (!Number.isFinite(own)) return Infinity;
      apart = Math.max(apart, own);
    }
    worst = Math.max(worst, apart / largest);
  }
  return worst;
}
