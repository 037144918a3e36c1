import type { Disagreement, Report } from "@pare/runtime/format";
import {
  accuracyText,
  baselineTime,
  bytes,
  digits,
  milliseconds,
  outcome,
  percent,
  targetText,
} from "./figures.js";
import { html, type Markup } from "./markup.js";
import { plots } from "./plot.js";
import { style } from "./style.js";
import { timeText } from "./search-time.js";
import { badge, candidateTable, number, reason, stepTable, table, variantTable } from "./tables.js";
import { why } from "./why.js";

/** The report as one HTML file that asks nothing of any network: a plot, tables, reasons. No script. */
export function toHtml(report: Report): string {
  const plot = plots(report);
  const body = html`<header>
      <div class="soft small">${report.command}</div>
      <h1>${shortName(report.model)}</h1>
      <p class="soft">${lead(report)}</p>
    </header>
    <div class="cards">${report.variants.map(card)}</div>
    ${checks(report)}
    ${report.skipped.map(({ target, reason }) => html`<p class="soft">${targetText(target)} was skipped: ${reason}</p>`)}
    ${report.nextStep === null ? null : html`<div class="next"><strong>Next:</strong> ${report.nextStep}</div>`}
    ${report.time === undefined ? null : html`<p class="soft">${timeText(report.time)}</p>`}
    ${plot ? section("Size, latency and accuracy", "Towards the lower left is smaller and faster, or loses less; colour is what it cost in accuracy. What was chosen was measured on the test samples, the others on those that choose.", plot) : null}
    ${report.variants.length > 0 ? section("What was measured", null, variantTable(report)) : null}
    ${report.disagreements.length > 0 ? section("Worst disagreements", "Samples to which the variant and the float model answer differently, worst first.", disagreements(report.disagreements)) : null}
    ${report.candidates.length > 0 ? section("Candidates", "What was tried for each target, and why it was chosen or not.", candidateTable(report)) : null}
    ${report.steps.length > 0 ? section("Steps", "What each step changed, and whether it stayed.", stepTable(report)) : null}
    ${report.sensitivity && report.sensitivity.length > 0 ? section("Sensitivity", "The most sensitive nodes: signal over noise at the outputs when one node alone is quantized. Shorter is worse.", sensitivity(report.sensitivity)) : null}
    ${report.why.length > 0 ? section("Why", "What was done to every node, by which rule, or why it was left alone.", why(report.why)) : null}
    ${footer(report)}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${shortName(report.model)} · Pare</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.text;
}

/** A path's last part: the whole stands in the command. */
function shortName(model: string): string {
  return model.split(/[\\/]/).at(-1) || model;
}

function section(title: string, note: string | null, body: Markup): Markup {
  return html`<section>
    <h2>${title}</h2>
    ${note === null ? null : html`<p class="soft">${note}</p>`}${body}
  </section>`;
}

function lead(report: Report): string {
  const { data, shapes } = report;
  const shown = Object.entries(shapes).map(([name, dims]) => `${name} ${dims.join("×")}`);
  const samples =
    data.source === null ? "without data" : `on ${data.test} test samples of ${data.source}`;
  return `Measured ${samples}${shown.length > 0 ? `, ${shown.join(", ")}` : ""}, ${report.createdAt.slice(0, 16).replace("T", " ")}.`;
}

function card(variant: Report["variants"][number]): Markup {
  const { baseline, accuracy, latencyMs, sizeBytes } = variant;
  const against = outcome(variant, baseline);
  return html`<div class="card">
    <h3>${targetText(variant.target)}</h3>
    <div class="big">${bytes(sizeBytes.brotli)} · ${milliseconds(latencyMs)}</div>
    <div class="small">${variant.name}, ${variant.precision}</div>
    <dl>
      ${
        baseline
          ? html`<dt>float model</dt>
              <dd>
                ${bytes(baseline.sizeBytes.brotli)} · ${baselineTime(latencyMs, baseline.latencyMs)}
              </dd>`
          : null
      }
      ${
        against
          ? html`<dt>against it</dt>
              <dd>${against}</dd>`
          : null
      }
      ${
        accuracy
          ? html`<dt>${accuracy.metric}</dt>
              <dd>${accuracyText(accuracy)}</dd>`
          : null
      }
      ${
        accuracy?.flips
          ? html`<dt>flips</dt>
              <dd>
                ${accuracy.flips.count} of ${accuracy.flips.n}, at most
                ${percent(accuracy.flips.interval[1])}
              </dd>`
          : accuracy?.noFlips
            ? html`<dt>flips</dt>
                <dd>${accuracy.noFlips}</dd>`
            : null
      }
      <dt>evidence</dt>
      <dd>
        ${variant.evidence}${accuracy && accuracy.measuredOn !== variant.target ? `, measured on ${accuracy.measuredOn}` : ""}
      </dd>
    </dl>
  </div>`;
}

function checks(report: Report): Markup | null {
  if (!report.checks || report.checks.length === 0) return null;
  const rows = report.checks.map(({ target, name, what, outcome: result, reason: text }) => ({
    cells: [badge(result), target, name, what, reason(text)],
  }));
  return section("Checks", null, table(["outcome", "target", "model", "check", "why"], rows));
}

function disagreements(all: readonly Disagreement[]): Markup {
  const pairs = all.map(
    ({ target, variant, sample, label, float, candidate, thumbnail }) =>
      html`<div class="pair">
        ${thumbnail?.startsWith("data:image/png;base64,") ? html`<img src="${thumbnail}" alt="${sample}" />` : null}
        <div class="sides">
          <div>
            <div class="soft small">float</div>
            ${float}
          </div>
          <div>
            <div class="soft small">${variant}</div>
            ${candidate}
          </div>
        </div>
        <div class="caption">${sample} · ${target}${label === null ? "" : ` · label ${label}`}</div>
      </div>`,
  );
  return html`<div class="pairs">${pairs}</div>`;
}

const shownSensitivities = 30;

function sensitivity(all: NonNullable<Report["sensitivity"]>): Markup {
  const worst = [...all].sort((a, b) => a.sqnrDb - b.sqnrDb).slice(0, shownSensitivities);
  const longest = Math.max(1, ...worst.map(({ sqnrDb }) => sqnrDb));
  const rows = worst.map(({ target, node, op, sqnrDb }) => ({
    cells: [
      target,
      html`<code>${node}</code>`,
      op,
      number(`${digits(sqnrDb)} dB`),
      html`<div
        class="bar"
        style="width:${Math.max(1, (100 * Math.max(0, sqnrDb)) / longest).toFixed(1)}%"
      ></div>`,
    ],
  }));
  return table(["target", "node", "operator", "SQNR", ""], rows);
}

function footer({ environment, data }: Report): Markup {
  const split =
    data.source === null
      ? "No data was given."
      : `${data.calibration} samples to calibrate, ${data.validation} to choose, ${data.test} to test; seed ${data.seed}.`;
  return html`<footer>
    <p>${split}${data.caveat === null ? "" : ` ${data.caveat}`}</p>
    <p>
      Intervals are 95 %, of speed 99 %. Sizes are after brotli unless said; the engine's own
      download is not in them.
    </p>
    <p>
      ${Object.entries(environment).map(([name, value], index) => html`${index > 0 ? " · " : ""}${name} ${value}`)}
    </p>
  </footer>`;
}
