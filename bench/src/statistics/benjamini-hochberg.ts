/** Of the discoveries, the share that may be false. */
const rate = 0.05;

/**
 * Benjamini and Hochberg (1995): which of several p-values are discoveries when some of the discoveries may be false. With many models and targets compared at once, some look slower by chance alone.
 * @returns one flag per p-value, in the order given
 */
export function benjaminiHochberg(pValues: readonly number[]): boolean[] {
  const order = pValues
    .map((_, index) => index)
    .sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  let last = -1;
  order.forEach((index, rank) => {
    if ((pValues[index] as number) <= ((rank + 1) / order.length) * rate) last = rank;
  });
  const found = pValues.map(() => false);
  for (let rank = 0; rank <= last; rank++) found[order[rank] as number] = true;
  return found;
}
