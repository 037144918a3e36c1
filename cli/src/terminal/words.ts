import { visibleLine } from "@pare/runtime/format";

/** `1.2 MB`: decimal units, as downloads are counted. */
export function byteText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ${units[power - 1] ?? "TB"}`;
}

/** `1.23 ms`, `12.3 ms`, `1234 ms`. */
export function millisecondText(ms: number): string {
  return `${ms < 1000 ? ms.toPrecision(3) : ms.toFixed(0)} ms`;
}

/** `1.23 M` of anything. */
export function countText(count: number): string {
  if (count < 10_000) return String(count);
  const power = Math.min(4, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toPrecision(3)} ${["", "k", "M", "G", "T"][power] ?? ""}`;
}

/** Columns of equal width, the first one left-aligned and all but `left` of the others to the right; a row is a line. */
export function tableText(
  texts: readonly (readonly string[])[],
  left: ReadonlySet<number> = new Set([0]),
): string {
  const rows = texts.map((row) => row.map(visibleLine));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, { length }] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
