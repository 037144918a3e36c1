/**
 * The text of a data module: of each split of another module every so manieth sample.
 * @param module where the other is, as a URL
 * @param each what is given of a `sample`, which may know the `splits`
 */
export function someSamples(module: string, every: number, each = "sample"): string {
  return `
import { samples as all, splits as allSplits } from ${JSON.stringify(module)};
const some = (ids) => ids.filter((_, index) => index % ${every} === 0);
export const splits = Object.fromEntries(Object.entries(allSplits).map(([name, ids]) => [name, some(ids)]));
const wanted = new Set(Object.values(splits).flat());
export async function* samples() {
  for await (const sample of all()) if (wanted.has(sample.id)) yield ${each};
}
`;
}
