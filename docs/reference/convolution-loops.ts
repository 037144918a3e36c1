import { engines } from "../../compiler/src/wasm/engine.js";
import { laneCount } from "../../compiler/src/wasm/kernels/kernel.js";

// A picture of the loops of `compiler/src/wasm/kernels/matrix.ts`, with the tile of the module for relaxed SIMD.
const [, { matrix: tile }] = engines;
const kernel = 3;
const width = 880;
const cell = 19;
const colours = {
  ink: "#1f2430",
  soft: "#6b7280",
  line: "#c3c9d4",
  zero: "#eceff4",
  input: "#bfdbfe",
  window: "#1d4ed8",
  weights: "#fde68a",
  sums: "#bbf7d0",
};

/** `convolution-loops.svg`: where a convolution's loops go, over its input, its weights and its sums. */
export function convolutionLoopsPicture(): string {
  const parts = [input(24, 64), weights(404, 64), sums(628, 64), loops(24, 292)];
  const height = 292 + 22 * nest.length + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="${colours.ink}" role="img" aria-label="The loops of one convolution">
<rect width="${width}" height="${height}" rx="8" fill="#fff"/>
${parts.flat().join("\n")}
</svg>
`;
}

/** The image with the zeros around it, and what a tile of neighbouring results reads of it. */
function input(x: number, y: number): readonly string[] {
  const columns = 17;
  const rows = 9;
  const isFrame = (row: number, column: number): boolean =>
    row === 0 || column === 0 || row === rows - 1 || column === columns - 1;
  const at = { row: 3, column: 4 };
  const reach = tile.rows + kernel - 1;
  const isRead = (row: number, column: number): boolean =>
    row >= at.row && row < at.row + kernel && column >= at.column && column < at.column + reach;
  const cells = Array.from({ length: rows * columns }, (_, place) => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    const fill = isRead(row, column) ? colours.input : isFrame(row, column) ? colours.zero : "#fff";
    return box(x + column * cell, y + row * cell, cell, cell, fill);
  });
  const left = x + at.column * cell;
  const top = y + at.row * cell;
  const runs = Array.from({ length: kernel }, (_, row) =>
    outline(left + 2, top + row * cell + 2, kernel * cell - 4, cell - 4),
  );
  return [
    title(x, y - 28, "Input"),
    note(x, y - 11, "rows × columns, channels innermost, zeros around"),
    ...cells,
    ...runs,
    note(x, y + rows * cell + 17, `A kernel's row is one run: ${kernel} columns, all channels.`),
    note(x, y + rows * cell + 34, `Blue: what ${tile.rows} neighbouring results read.`),
  ];
}

/** A panel: a row of lanes for every element that is summed over. */
function weights(x: number, y: number): readonly string[] {
  const lanes = tile.vectors * laneCount;
  const rows = 9;
  const step = 4;
  const cells = Array.from({ length: rows * lanes }, (_, place) => {
    const [row, lane] = [Math.floor(place / lanes), place % lanes];
    const fill = row === step ? colours.weights : "#fff";
    return box(x + lane * cell, y + row * cell, cell, cell, fill);
  });
  return [
    title(x, y - 28, "Weights, packed"),
    note(x, y - 11, `a panel of ${lanes} channels`),
    ...cells,
    outline(x, y + step * cell, laneCount * cell, cell),
    outline(x + laneCount * cell, y + step * cell, laneCount * cell, cell),
    note(x, y + rows * cell + 17, `A step reads ${tile.vectors} vectors.`),
    note(x, y + rows * cell + 34, "Rows: taps × channels."),
  ];
}

/** What stays in registers from the first step to the last. */
function sums(x: number, y: number): readonly string[] {
  const lanes = tile.vectors * laneCount;
  const cells = Array.from({ length: tile.rows * lanes }, (_, place) =>
    box(x + (place % lanes) * cell, y + Math.floor(place / lanes) * cell, cell, cell, colours.sums),
  );
  const vectors = Array.from({ length: tile.rows * tile.vectors }, (_, place) =>
    outline(
      x + (place % tile.vectors) * laneCount * cell,
      y + Math.floor(place / tile.vectors) * cell,
      laneCount * cell,
      cell,
    ),
  );
  const below = y + tile.rows * cell;
  return [
    title(x, y - 28, "Sums, in registers"),
    note(x, y - 11, `${tile.rows} columns × ${tile.vectors} vectors of ${laneCount} lanes`),
    ...cells,
    ...vectors,
    note(x, below + 20, "sums[m][v] +="),
    note(x + 14, below + 37, "spread(input[m]) · weights[v]"),
    note(x, below + 60, `${tile.rows * tile.vectors} multiply-adds a step`),
  ];
}

const lanesOfPanel = tile.vectors * laneCount;
const nest: readonly (readonly [loop: string, says: string])[] = [
  ["images, groups", ""],
  [`panels of ${lanesOfPanel} output channels`, "their weights stay in the nearest cache"],
  ["rows of the result", ""],
  [`tiles of ${tile.rows} columns`, "the sums begin as the bias"],
  ["rows of the kernel", "an address each"],
  ["elements of the run", `${tile.unroll} at a time, up to 12 without a loop`],
  ["→ multiply and add", "two vectors of weights, a float of input spread over the lanes"],
];

function loops(x: number, y: number): readonly string[] {
  return nest.flatMap(([loop, says], depth) => {
    const top = y + depth * 22;
    const left = x + depth * 24;
    return [
      `<rect x="${left}" y="${top}" width="3" height="18" fill="${colours.window}" opacity="${(0.35 + depth * 0.1).toFixed(2)}"/>`,
      `<text x="${left + 10}" y="${top + 14}" font-weight="600">${loop}</text>`,
      says === "" ? "" : note(x + 404, top + 14, says),
    ].filter((part) => part !== "");
  });
}

function title(x: number, y: number, text: string): string {
  return `<text x="${x}" y="${y}" font-weight="700" font-size="15">${text}</text>`;
}

function note(x: number, y: number, text: string): string {
  return `<text x="${x}" y="${y}" fill="${colours.soft}">${text}</text>`;
}

function box(x: number, y: number, wide: number, high: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${wide}" height="${high}" fill="${fill}" stroke="${colours.line}"/>`;
}

function outline(x: number, y: number, wide: number, high: number): string {
  return `<rect x="${x}" y="${y}" width="${wide}" height="${high}" fill="none" stroke="${colours.window}" stroke-width="2"/>`;
}
