// The curves as one picture: a row for each training, its loss and how right it was, drawn as report.html draws them.
import { curves } from "../../../dist/report/curves.js";

const panelWidth = 270;
const panelHeight = 184;
const rowHeight = panelHeight + 74;
const width = 2 * panelWidth + 3 * 24;

const look = `
:root { color-scheme: light dark; }
svg { --paper: #ffffff; --ink: #1c1e21; --soft: #5d636b; --line: #e2e2dc; --mark: #0b7a5c; --none: #8b9199; }
@media (prefers-color-scheme: dark) { svg { --paper: #1b1e21; --ink: #e8e9ea; --soft: #9aa1a9; --line: #2f3439; --mark: #3ecf9f; --none: #7b828a; } }
.paper { fill: var(--paper); }
text { font: 11.5px system-ui, sans-serif; fill: var(--soft); } .name { font-size: 14px; font-weight: 600; fill: var(--ink); }
.axis { stroke: var(--line); } .grid { stroke: var(--line); stroke-dasharray: 2 4; }
.curve { fill: none; stroke: var(--none); stroke-width: 1.5; } .curve.mark { stroke: var(--mark); }
.spot { fill: var(--paper); stroke: var(--none); stroke-width: 1.5; } .spot.mark { fill: var(--mark); stroke: var(--mark); }
`;

/** @param {readonly { title: string, curves: readonly object[] }[]} figures */
export function curvesPicture(figures) {
  const rows = figures.map(({ title, curves: all }, row) => {
    const of = (what, write, name, most) =>
      curves({
        title: name,
        curves: all.map((curve, at) => ({
          name: curve.name,
          kind: at === 0 ? "mark" : "plain",
          points: curve[what].map((value, epoch) => ({ epoch: epoch + 1, value })),
        })),
        epochCount: all[0].loss.length,
        write,
        ...(most && { most }),
        label: `${title}: ${name} by epoch`,
      }).text;
    const keys = all.map(({ name }, at) => `${at === 0 ? "●" : "○"} ${name}`).join("   ");
    const top = 20 + row * rowHeight;
    return `<text class="name" x="24" y="${top + 16}">${escaped(title)}</text>
<text x="24" y="${top + 36}">${escaped(keys)}</text>
${placed(of("loss", digits, "loss"), 24, top + 46)}
${placed(of("validation", percent, "right, of digits that it did not learn from", 1), 48 + panelWidth, top + 46)}`;
  });
  const height = 20 + figures.length * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Loss and share of right answers by epoch">
<style>${look}</style>
<rect class="paper" width="${width}" height="${height}" rx="8"/>
${rows.join("\n")}
</svg>
`;
}

function placed(panel, x, y) {
  const size = `x="${x}" y="${y}" width="${panelWidth}" height="${panelHeight}"`;
  return panel.replace("<svg", `<svg ${size}`).replaceAll(/\s*\n\s*/g, " ");
}

const escaped = (text) => text.replace(/[&<>]/g, (symbol) => `&#${symbol.charCodeAt(0)};`);
const digits = (value) => String(Number(value.toPrecision(3)));
const percent = (share) => `${(100 * share).toFixed(1)} %`;
