import { elementCount, type Tensor, type Tensors } from "@pare/runtime/format";

/** Along an axis of an output, which places hold shares of 1, and which other numbers. */
export interface PartsOfOutput {
  readonly axis: number;
  readonly rows: readonly boolean[];
}

/**
 * Outputs that hold several kinds of numbers (boxes in pixels, and scores from 0 to 1), each kind as an output of its own, so that
 * the size of one does not hide another.
 * @param parts by name; what is not of this shape stays as it is
 */
export function inParts(outputs: Tensors, parts: Readonly<Record<string, PartsOfOutput>>): Tensors {
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([name, tensor]) => {
      const own = Object.hasOwn(parts, name) ? parts[name] : undefined;
      if (own === undefined || tensor.dims[own.axis] !== own.rows.length) return [[name, tensor]];
      return [true, false].map((share) => [
        share ? `${name}, shares` : `${name}, others`,
        rowsOf(tensor, own, share),
      ]);
    }),
  );
}

function rowsOf(tensor: Tensor, { axis, rows }: PartsOfOutput, wanted: boolean): Tensor {
  const { dims, data } = tensor;
  if (!(data instanceof Float32Array)) return tensor;
  const width = elementCount(dims.slice(axis + 1));
  const kept = rows.flatMap((share, row) => (share === wanted ? [row] : []));
  const outer = elementCount(dims.slice(0, axis));
  const part = new Float32Array(outer * kept.length * width);
  let to = 0;
  for (let at = 0; at < outer; at += 1)
    for (const row of kept) {
      const from = (at * rows.length + row) * width;
      part.set(data.subarray(from, from + width), to);
      to += width;
    }
  return { type: "float32", dims: dims.with(axis, kept.length), data: part };
}
