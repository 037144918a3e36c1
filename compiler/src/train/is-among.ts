/** Is a text one of the names? A `*` at the end of a name stands for any ending. */
export function isAmong(names: readonly string[], text: string): boolean {
  return names.some((name) =>
    name.endsWith("*") ? text.startsWith(name.slice(0, -1)) : text === name,
  );
}
