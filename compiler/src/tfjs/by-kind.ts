/** What is named with what it is: the first of each kind, and how many more. */
export function byKind(all: Iterable<{ readonly kind: string; readonly name: string }>): string {
  const kinds = new Map<string, string[]>();
  for (const { kind, name } of all) {
    const alike = kinds.get(kind);
    if (alike === undefined) kinds.set(kind, [name]);
    else alike.push(name);
  }
  const said = [...kinds].map(([kind, [first = "", ...more]]) =>
    more.length === 0
      ? `${kind} (${JSON.stringify(first)})`
      : `${kind} (${JSON.stringify(first)} and ${more.length} more)`,
  );
  return said.join(", ");
}
