import { judgedBy } from "./judged-by.js";
import type { Disagreement, Report } from "@pare/runtime/format";
import { cut } from "./cut.js";
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
import { learned } from "./learned.js";
import { html, type Markup } from "./markup.js";
import { triedPlot, writtenPlot } from "./plot.js";
import { style } from "./style.js";
import { timeText } from "./search-time.js";
import { shareTable } from "./shares.js";
import { sweep } from "./sweep.js";
import { badge, candidateTable, number, reason, stepTable, table, variantTable } from "./tables.js";
import { why } from "./why.js";

/** The report as one HTML file that asks nothing of any network: a plot, tables, reasons. No script. */
export function toHtml(report: Report): string {
  const [written, tried] = [writtenPlot(report), triedPlot(report)];
  const [shares, pruned, taught] = [shareTable(report), cut(report), learned(report)];
  const swept = sweep(report);
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
    ${written ? section(`Size, latency and ${judgedBy(report)}`, plotNote(report, "on the test samples: they took no part in any choice."), written) : null}
    ${report.variants.length > 0 ? section("What was measured", null, variantTable(report)) : null}
    ${shares ? section("What each step did", "On the way to each file that was written, step by step. Weights are as stored, before any compression; of MACs, a free batch counts as 1 and another free size as 64.", shares) : null}
    ${swept ? section("How far it was cut", "One cut after another, each taught again: how far the metric drops, over size and over latency, on the validation samples. Lower left is better.", swept) : null}
    ${pruned ? section("What was cut", "Groups of channels that go together or stay together, by the layer that makes them.", pruned) : null}
    ${taught ? section("What was learned", "Means over the epochs of each training.", taught) : null}
    ${report.disagreements.length > 0 ? section("Worst disagreements", "Samples to which the variant and the float model answer differently, worst first.", disagreements(report.disagreements)) : null}
    ${tried ? section("What was tried", plotNote(report, "on the validation samples: those that choose."), tried) : null}
    ${report.candidates.length > 0 ? section("Candidates", "What was tried for each target, and why it was chosen or not.", candidateTable(report)) : null}
    ${report.steps.length > 0 ? section("Steps", "What each step changed, and whether it stayed.", stepTable(report)) : null}
    ${report.sensitivity && report.sensitivity.length > 0 ? section("Sensitivity", "The most sensitive nodes: signal over noise at the outputs when one node alone is quantized. Shorter is worse.", sensitivity(report.sensitivity)) : null}
    ${report.why.length > 0 ? section("Why", "What was done to every node, by which rule, or why it was left alone.", why(report.why)) : null}
    ${ground(report)} ${footer(report)}`;
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

function plotNote({ data }: Report, samples: string): string {
  const what =
    data.source === null
      ? "Without data no drop was measured: what is left is size and latency."
      : `How far the metric drops, over size and over latency, ${samples}`;
  return `${what} Lower left is better.`;
}

function lead(report: Report): string {
  const { data, shapes } = report;
  const shown = Object.entries(shapes).map(([name, dims]) => `${name} ${dims.join("×")}`);
  const samples =
    data.source === null
      ? "without data"
      : `on ${testedText(report)} test samples of ${data.source}`;
  return `Measured ${samples}${shown.length > 0 ? `, ${shown.join(", ")}` : ""}, ${report.createdAt.slice(0, 16).replace("T", " ")}.`;
}

/** As many as time was for, on each target: `2000`, or `400 to 2000 of 2000`. */
function testedText({ data, variants }: Report): string {
  const counts = variants.flatMap(({ accuracy }) => accuracy?.n ?? []);
  const [least, most] = [Math.min(data.test, ...counts), Math.max(...counts)];
  if (counts.length === 0) return `none of ${data.test}`;
  if (least === data.test) return String(data.test);
  return `${least === most ? least : `${least} to ${most}`} of ${data.test}`;
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

/** Other machines, other figures: what these were made on. */
function ground({ environment, variants }: Report): Markup | null {
  const rows = Object.entries(environment);
  const notes = variants.flatMap(({ target, restsOn }) => (restsOn ? [{ target, restsOn }] : []));
  if (rows.length === 0 && notes.length === 0) return null;
  return section(
    "What the figures rest on",
    "Times were taken on this machine alone; answers of integer files may depend on it too.",
    html`<dl class="ground">
        ${rows.map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${value}</dd>`,
        )}
      </dl>
      ${notes.map(({ target, restsOn }) => html`<p>${targetText(target)}: ${restsOn}</p>`)}`,
  );
}

function footer({ data }: Report): Markup {
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
  </footer>`;
}
