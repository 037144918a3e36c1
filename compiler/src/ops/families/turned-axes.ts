import type { AttributeReader } from "../schema/attributes.js";

/**
 * The axes of an operand in the order in which FusedMatMul multiplies them: `trans…` swaps the last two, `transBatch…`
 * brings the first behind the others of the batch before. A vector is what it is, whichever way it is turned.
 */
export function turnedAxes(
  rank: number,
  attributes: AttributeReader,
  name: "A" | "B",
): readonly number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  if (rank < 2) return axes;
  const [first = 0, ...others] = axes.slice(0, -1);
  const moves = attributes.int(`transBatch${name}`, 0) !== 0;
  const rows = moves ? [...others, first] : [first, ...others];
  const columns = rank - 1;
  const swaps = attributes.int(`trans${name}`, 0) !== 0;
  return swaps ? [...rows.slice(0, -1), columns, ...rows.slice(-1)] : [...rows, columns];
}
