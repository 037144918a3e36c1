/** Row-major strides, in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis -= 1) {
    strides[axis] = stride;
    stride *= dims[axis] ?? 1;
  }
  return strides;
}

/** A negative axis counts from the end. */
export function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/**
 * For every element of a result the position of its source: the sum over axes of what each axis adds for its
 * coordinate. A negative part means that there is no source, and gives −1. Slices, transpositions, broadcasts and
 * pads are all of this form.
 */
export function sourceIndices(parts: readonly ArrayLike<number>[], offset = 0): Int32Array {
  // Of nothing, no list of the other axes is made.
  if (parts.some(({ length }) => length === 0)) return new Int32Array();
  let block = Int32Array.of(offset);
  for (const part of parts) {
    const next = new Int32Array(block.length * part.length);
    let at = 0;
    for (let i = 0; i < block.length; i += 1) {
      const base = block[i] ?? 0;
      for (let j = 0; j < part.length; j += 1) {
        const step = part[j] ?? 0;
        next[at] = base < 0 || step < 0 ? -1 : base + step;
        at += 1;
      }
    }
    block = next;
  }
  return block;
}

/** 0, step, 2·step, …: one axis's part in `sourceIndices`. */
export function steps(count: number, step: number): Int32Array {
  const part = new Int32Array(count);
  for (let i = 0; i < count; i += 1) part[i] = i * step;
  return part;
}

/** The positions in a tensor of `from` dims for every element of the `to` dims that it is broadcast to. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Int32Array {
  const strides = stridesOf(from);
  const added = to.length - from.length;
  return sourceIndices(
    to.map((size, axis) =>
      steps(size, from[axis - added] === 1 || axis < added ? 0 : (strides[axis - added] ?? 0)),
    ),
  );
}
