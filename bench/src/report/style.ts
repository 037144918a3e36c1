import { Markup } from "./markup.js";

/** The whole look of report.html: no font, image or script is fetched. */
export const style = Markup.of(`
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --card: #ffffff; --ink: #1c1e21; --soft: #5d636b; --line: #e2e2dc; --stripe: #f5f5f1;
  --good: #0b7a5c; --bad: #b3253a; --mark: #0b7a5c;
  --d0: #0d8f6f; --d1: #7aa63a; --d2: #d6a10f; --d3: #dd6b20; --d4: #c5283d; --none: #8b9199;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131517; --card: #1b1e21; --ink: #e8e9ea; --soft: #9aa1a9; --line: #2f3439; --stripe: #202427;
    --good: #3ecf9f; --bad: #ff7a8a; --mark: #3ecf9f;
    --d0: #2fbf93; --d1: #9cc455; --d2: #e8b931; --d3: #f08a3c; --d4: #f05a6a; --none: #7b828a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0; letter-spacing: -0.02em; }
h2 { font-size: 19px; margin: 52px 0 6px; letter-spacing: -0.01em; }
h3 { font-size: 14px; margin: 0; }
p { margin: 6px 0; max-width: 76ch; }
.soft { color: var(--soft); }
.small { font-size: 13px; }
.good { color: var(--good); } .bad { color: var(--bad); }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 1fr)); gap: 16px; margin: 28px 0 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; }
.card h3 { color: var(--soft); font-weight: 600; }
.big { font-size: 26px; font-weight: 650; letter-spacing: -0.02em; margin: 6px 0 2px; font-variant-numeric: tabular-nums; }
.card dl { display: grid; grid-template-columns: auto 1fr; gap: 3px 14px; margin: 12px 0 0; font-size: 13.5px; }
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
td > div > .bar { min-width: 2px; } td:has(> div > .bar) { min-width: 160px; }
.badge { display: inline-block; border-radius: 99px; padding: 0 9px; font-size: 12px; line-height: 20px; font-weight: 600; border: 1px solid currentColor; white-space: nowrap; }
.badge.rejected, .badge.inconclusive, .badge.left { color: var(--soft); }
.badge.chosen, .badge.kept, .badge.passed, .badge.changed { color: var(--good); }
.badge.reverted, .badge.missed { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 16px; margin-top: 12px; }
.plot { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px 8px; }
.plot svg { display: block; width: 100%; height: auto; margin-top: 6px; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .axis { stroke: var(--line); } svg .grid { stroke: var(--line); stroke-dasharray: 2 4; }
svg .leader { stroke: var(--soft); stroke-width: 1; } svg .path { stroke: var(--mark); stroke-width: 1.5; fill: none; stroke-dasharray: 4 4; opacity: .7; }
svg .label { text-anchor: middle; font-size: 11px; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
svg .strong { fill: var(--ink); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-top: 10px; font-size: 12.5px; color: var(--soft); }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 6px; vertical-align: -1px; }
details { border: 1px solid var(--line); border-radius: 10px; background: var(--card); margin-top: 10px; }
summary { cursor: pointer; padding: 10px 16px; font-weight: 600; }
summary .soft { font-weight: 400; }
details > :not(summary) { margin-left: 16px; margin-right: 16px; }
details > :last-child { margin-bottom: 14px; }
details details { margin-bottom: 8px; background: var(--paper); }
.nodes { columns: 260px; font-size: 12.5px; padding: 0; list-style: none; }
.nodes li { break-inside: avoid; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 14px; margin-top: 12px; }
.pair { background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.pair img { display: block; width: 100%; height: 110px; object-fit: contain; image-rendering: pixelated; background: var(--stripe); }
.pair .sides { display: grid; grid-template-columns: 1fr 1fr; border-top: 1px solid var(--line); }
.pair .sides > div { padding: 8px 12px; overflow-wrap: anywhere; } .pair .sides > div + div { border-left: 1px solid var(--line); }
.pair .caption { padding: 8px 12px; font-size: 12.5px; color: var(--soft); overflow-wrap: anywhere; }
.bar { height: 8px; border-radius: 4px; background: var(--mark); min-width: 2px; }
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
  td.reason { min-width: 0; }
}
@media print { body { background: #fff; } .card, .plot, .pair { break-inside: avoid; } }
`);
