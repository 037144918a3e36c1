import { Markup } from "./markup.js";

/** The whole look of report.html: no font, image or script is fetched. */
export const style = Markup.of(`
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --card: #ffffff; --ink: #1c1e21; --soft: #5d636b; --line: #e2e2dc; --stripe: #f5f5f1;
  --good: #0b7a5c; --bad: #b3253a; --mark: #0b7a5c;
  --none: #8b9199;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131517; --card: #1b1e21; --ink: #e8e9ea; --soft: #9aa1a9; --line: #2f3439; --stripe: #202427;
    --good: #3ecf9f; --bad: #ff7a8a; --mark: #3ecf9f;
    --none: #7b828a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 40px 24px 80px; overflow-wrap: break-word; }
h1 { font-size: 30px; line-height: 1.2; margin: 0; letter-spacing: -0.02em; }
h2 { font-size: 19px; margin: 52px 0 6px; letter-spacing: -0.01em; }
h3 { font-size: 14px; margin: 0; }
p { margin: 6px 0; max-width: 76ch; }
.soft { color: var(--soft); }
.small { font-size: 13px; }
.good { color: var(--good); } .bad { color: var(--bad); }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 270px), 1fr)); gap: 16px; margin: 28px 0 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; }
.card h3 { color: var(--soft); font-weight: 600; }
.big { font-size: 26px; font-weight: 650; letter-spacing: -0.02em; margin: 6px 0 2px; font-variant-numeric: tabular-nums; }
.card dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 3px 14px; margin: 12px 0 0; font-size: 13.5px; }
.card dt { color: var(--soft); } .card dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); margin-top: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 600; white-space: nowrap; }
th, td { padding: 8px 11px; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
tr.baseline td { color: var(--soft); background: var(--stripe); }
tr.chosen td:first-child { box-shadow: inset 3px 0 var(--mark); }
td.figure { white-space: nowrap; } td.figure .small { white-space: normal; }
td.reason { min-width: 240px; }
td > div > .bar { min-width: 2px; } td:has(> div > .bar) { min-width: 160px; } td:has(> div > .channels) { min-width: 245px; } td:has(> div > code:only-child) { min-width: 130px; }
.badge { display: inline-block; border-radius: 99px; padding: 0 9px; font-size: 12px; line-height: 20px; font-weight: 600; border: 1px solid currentColor; white-space: nowrap; }
.badge.rejected, .badge.inconclusive, .badge.left { color: var(--soft); }
.badge.chosen, .badge.kept, .badge.passed, .badge.changed { color: var(--good); }
.badge.reverted, .badge.missed { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); gap: 16px; margin-top: 12px; }
.plot { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px 10px; margin: 0; overflow-wrap: anywhere; }
.panels { display: flex; flex-wrap: wrap; gap: 6px 12px; margin-top: 8px; align-items: start; }
.panels > * { flex: 1 1 230px; min-width: 0; max-width: 380px; }
.panel, .chart { display: block; height: auto; }
svg text { font: 11.5px system-ui, sans-serif; fill: var(--soft); } svg .lane { font-size: 10px; }
svg .axis { stroke: var(--line); } svg .grid { stroke: var(--line); stroke-dasharray: 2 4; } svg .zero { stroke: var(--soft); stroke-dasharray: 2 4; }
svg .interval { stroke: var(--none); stroke-width: 1.5; opacity: .65; } svg .interval.chosen { stroke: var(--mark); }
svg .marker { fill: var(--none); stroke: var(--card); } svg .marker.chosen { fill: var(--mark); } svg .marker.float { fill: var(--card); stroke: var(--ink); stroke-width: 2; }
svg .ring { fill: none; stroke: var(--mark); stroke-width: 2; } svg .leader { stroke: var(--soft); stroke-width: 1; }
svg .label { text-anchor: middle; font-size: 11px; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
svg .label.chosen, svg .label.float { fill: var(--ink); font-weight: 600; }
svg .curve { fill: none; stroke: var(--none); stroke-width: 1.5; } svg .curve.mark { stroke: var(--mark); }
svg .spot { fill: var(--card); stroke: var(--none); stroke-width: 1.5; } svg .spot.mark { fill: var(--mark); stroke: var(--mark); }
.channels { display: block; width: 100%; max-width: 320px; height: 30px; }
svg .kept { fill: var(--mark); } svg .cut { fill: var(--none); opacity: .7; } .channels .zero { vector-effect: non-scaling-stroke; }
.legend .is-kept { color: var(--mark); } .legend .is-cut { color: var(--none); opacity: .7; } .told { margin-top: 18px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-top: 10px; font-size: 12.5px; color: var(--soft); }
details { border: 1px solid var(--line); border-radius: 10px; background: var(--card); margin-top: 10px; }
summary { cursor: pointer; padding: 10px 16px; font-weight: 600; }
summary .soft { font-weight: 400; }
details > :not(summary) { margin-left: 16px; margin-right: 16px; }
details > :last-child { margin-bottom: 14px; }
details details { margin-bottom: 8px; background: var(--paper); }
.nodes { columns: 260px; font-size: 12.5px; padding: 0; list-style: none; }
.nodes li { break-inside: avoid; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); gap: 14px; margin-top: 12px; }
.pair { background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.pair img { display: block; width: 100%; height: 110px; object-fit: contain; image-rendering: pixelated; background: var(--stripe); }
.pair .sides { display: grid; grid-template-columns: 1fr 1fr; border-top: 1px solid var(--line); }
.pair .sides > div { padding: 8px 12px; overflow-wrap: anywhere; } .pair .sides > div + div { border-left: 1px solid var(--line); }
.pair .caption { padding: 8px 12px; font-size: 12.5px; color: var(--soft); overflow-wrap: anywhere; }
.bar { height: 8px; border-radius: 4px; background: var(--mark); min-width: 2px; }
.ground { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 3px 18px; margin: 12px 0; } .ground dt { color: var(--soft); } .ground dd { margin: 0; }
.next { border-left: 3px solid var(--mark); padding: 8px 16px; margin-top: 24px; background: var(--card); }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; }
@media (max-width: 1160px) { th, td { padding: 8px 7px; } table { font-size: 13px; } }
@media (max-width: 860px) {
  main { padding: 24px 14px 60px; }
  thead { display: none; }
  tbody tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border-bottom: 0; }
  td, td.number, td.figure { display: grid; grid-template-columns: 6.5em 1fr; gap: 0 10px; padding: 3px 14px; border: 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  td::before { content: attr(data-column); color: var(--soft); }
  td:has(> div:empty) { display: none; }
  td.reason { min-width: 0; }
}
@media print { body { background: #fff; } .card, .plot, .pair { break-inside: avoid; } }
`);
