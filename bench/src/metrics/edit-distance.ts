/** Levenshtein distance in code points: insertions, deletions and substitutions cost one. */
export function editDistance(a: string, b: string): number {
  const from = Array.from(a);
  const to = Array.from(b);
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, symbol] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) {
      next.push(
        Math.min(
          (row[j] as number) + (symbol === other ? 0 : 1),
          (row[j + 1] as number) + 1,
          (next[j] as number) + 1,
        ),
      );
    }
    row = next;
  }
  return row[to.length] as number;
}
