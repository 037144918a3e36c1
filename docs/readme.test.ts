import { readFile } from "node:fs/promises";
import { assert, expect, it } from "vitest";

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), "utf8");
const readme = await read("../README.md");
const measured = await read("measured/line/against-the-alternatives.md");

/** The rows of the Markdown table that begins so, cell by cell. */
function tableOf(text: string, head: string): string[][] {
  const start = text.indexOf(head);
  expect(start).toBeGreaterThan(0);
  const [lines = ""] = text.slice(start).split("\n\n");
  return lines
    .trim()
    .split("\n")
    .slice(2)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const models: Readonly<Record<string, string>> = {
  "text direction": "ocr-direction",
  "text recognition": "ocr-recognition",
  "face detector": "blazeface-front",
  digits: "mnist-cnn",
};
/** The bar of every row: how far a metric may drop, in its own unit. */
const allowed = 0.01;

const all = tableOf(measured, "| model | target | what |").map(
  ([model, target, what = "", download = "", latency = "", metric = "", drop = ""]) => ({
    model,
    target,
    what,
    size: bytes(download),
    ratio: Number(/^[\d.]+/.exec(latency)?.[0]),
    value: Number(/ ([\d.]+) /.exec(metric)?.[1]),
    least: Number(/\[([-\d.]+),/.exec(drop)?.[1]),
    most: Number(/, ([-\d.]+)\]/.exec(drop)?.[1]),
  }),
);

function bytes(text: string): number {
  const [, value, unit] = /([\d.]+) (kB|MB)/.exec(text) ?? [];
  return Number(value) * (unit === "MB" ? 1e6 : 1e3);
}

it.each(tableOf(readme, "| model, target "))(
  "README says of %s what was measured, and marks what its interval leaves open",
  (name = "", ...cells) => {
    const [model = "", target] = name.split(", ");
    const rows = all.filter((row) => row.model === models[model] && row.target === target);
    const [float, pare, ...python] = rows;
    const [plain] = python;
    const within = python.filter(({ least }) => least <= allowed);
    const [fastest] = within.toSorted((a, b) => a.ratio - b.ratio);
    const [smallest] = within.toSorted((a, b) => a.size - b.size);
    for (const [index, row] of [float, pare, plain, fastest, smallest].entries()) {
      assert(row !== undefined);
      const cell = cells[index] ?? "";
      // Sizes have three digits in one table and whole kilobytes in the other.
      expect(Math.abs(bytes(cell) / row.size - 1)).toBeLessThan(0.01);
      const ratio = /([\d.]+)×/.exec(cell)?.[1];
      if (row.what !== "float") expect(Number(ratio)).toBe(row.ratio);
      const percent = /([\d.]+) %/.exec(cell)?.[1];
      const value =
        percent === undefined ? Number(/ (\.\d+)/.exec(cell)?.[1]) : Number(percent) / 100;
      expect(Math.abs(value - row.value)).toBeLessThan(0.00051);
      if (row.what.startsWith("Pare"))
        expect(cell.endsWith("¹"), `${name}: the drop reaches ${row.most}`).toBe(
          row.most > allowed,
        );
    }
  },
);

it("README says when and on which kind of processor its rows were measured", () => {
  const [, date = "", processor = ""] = / on (\d{4}-\d\d-\d\d): ([^,]+),/.exec(measured) ?? [];
  expect(readme.replace(/\s+/g, " ")).toContain(`from ${date} and one kind of processor`);
  expect(readme).toContain(processor);
});
