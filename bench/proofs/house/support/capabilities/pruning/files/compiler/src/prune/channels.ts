/** Of `dims[axis]` slices the `count` of largest L1 norm, in order (Li et al. 2017). */
export function strongest(
  values: Float32Array,
  dims: readonly number[],
  axis: number,
  count: number,
): readonly number[] {
  const norms = new Float64Array(dims[axis] ?? 0);
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  for (const [index, value] of values.entries()) {
    const channel = Math.floor(index / inner) % norms.length;
    norms[channel] = (norms[channel] ?? 0) + Math.abs(value);
  }
  return Array.from(norms.keys())
    .sort((a, b) => (norms[b] ?? 0) - (norms[a] ?? 0))
    .slice(0, count)
    .sort((a, b) => a - b);
}

export interface Sliced {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** Only the slices that are kept along an axis. */
export function sliced(
  values: Float32Array,
  dims: readonly number[],
  axis: number,
  kept: readonly number[],
): Sliced {
  const size = dims[axis] ?? 0;
  const inner = dims.slice(axis + 1).reduce((product, one) => product * one, 1);
  const outer = values.length / (size * inner);
  const result = new Float32Array(outer * kept.length * inner);
  let at = 0;
  for (let block = 0; block < outer; block += 1) {
    for (const index of kept) {
      const start = (block * size + index) * inner;
      result.set(values.subarray(start, start + inner), at);
      at += inner;
    }
  }
  return { dims: dims.map((one, index) => (index === axis ? kept.length : one)), values: result };
}
