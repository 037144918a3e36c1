import type { Axis } from "../../kernels/nest.js";

/** Bytes of an input's columns and of what is made of them that stay in the nearest cache together. */
const mostOfBlock = 24 * 1024;
/** And those of the weights that are then read again for each block. */
const mostOfWeights = 16 * 1024;
/** Fewer columns would leave small tiles at a block's end. */
const leastColumns = 24;

/**
 * How many columns of a product are best computed of all channels before the next are: undefined where all of it stays in
 * the nearest cache anyway, where its weights do not, and where columns cannot be cut so.
 * @param weights bytes of one group's
 */
export function blockOf(rows: Axis, columns: Axis, weights: number): number | undefined {
  const [from = 0, to = 0] = columns.steps;
  const bytes = from + to;
  if (weights > mostOfWeights || rows.count * columns.count * bytes <= mostOfBlock)
    return undefined;
  for (let parts = 1; columns.count / parts >= leastColumns; parts += 1)
    if (columns.count % parts === 0 && (columns.count / parts) * bytes <= mostOfBlock)
      return columns.count / parts;
  return undefined;
}
