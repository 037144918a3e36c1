import type { Measurement, Report, ReportRow } from "@pare/runtime/format";
import {
  accuracyText,
  baselineTime,
  bytes,
  changeText,
  digits,
  fromTo,
  isTimed,
  smaller,
  speed,
} from "./figures.js";
import { html, type Insertable, type Markup } from "./markup.js";
import { numbered } from "./plot.js";
import { judgedBy } from "./judged-by.js";
import { expectedText, groupText, triedText } from "./search-time.js";

export function badge(kind: string): Markup {
  return html`<span class="badge ${kind}">${kind}</span>`;
}

/** A cell, and how it is set; what stands alone is text. */
export interface Cell {
  readonly content: Insertable;
  readonly kind: "number" | "figure" | "reason";
}
export interface Row {
  readonly cells: readonly (Cell | Markup | string | number)[];
  readonly kind?: string;
}

/** Cells know their column, because a narrow screen shows a row as a list. */
export function table(columns: readonly string[], rows: readonly Row[]): Markup {
  const isNumber = (index: number): boolean =>
    rows.some(({ cells }) => {
      const cell = cells[index];
      return isCell(cell) && cell.kind === "number";
    });
  const heads = columns.map(
    (column, index) => html`<th class="${isNumber(index) ? "number" : ""}">${column}</th>`,
  );
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ cells, kind = "" }) =>
            html`<tr class="${kind}">
              ${cells.map((cell, index) => td(cell, columns[index] ?? ""))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function isCell(cell: Row["cells"][number] | undefined): cell is Cell {
  return typeof cell === "object" && "content" in cell;
}

function td(cell: Row["cells"][number], column: string): Markup {
  const { content, kind } = isCell(cell) ? cell : { content: cell, kind: "" };
  return html`<td class="${kind}" data-column="${column}"><div>${content}</div></td>`;
}

export const number = (content: Insertable): Cell => ({ content, kind: "number" });
export const reason = (content: Insertable): Cell => ({ content, kind: "reason" });

/** A figure and, smaller, what belongs to it. */
export function figure(content: string, more: string): Cell {
  return { content: under(content, more), kind: "figure" };
}

function under(content: Insertable, more: string): Markup {
  return html`${content}${more === "" ? null : html`<div class="soft small">${more}</div>`}`;
}

export function variantTable(report: Report): Markup {
  const rows = report.variants.flatMap((variant) => [
    ...(variant.baseline ? [baselineRow(variant.baseline, variant)] : []),
    measured(variant, variant.baseline),
  ]);
  const notes = [
    ...new Set(
      report.variants.flatMap(({ latencyMs }) =>
        isTimed(latencyMs) ? [latencyMs.method] : [latencyMs.unmeasured],
      ),
    ),
  ];
  const columns =
    `target,model,download,latency,speed,${judgedBy(report)},parity,memory,start-up`.split(",");
  return html`${table(columns, rows)}${notes.map((note) => html`<p class="soft small">${note}</p>`)}`;
}

/** The float model's time is the one beside the variant: it shows no other one. */
function baselineRow(baseline: ReportRow, { latencyMs }: ReportRow): Row {
  const time = baselineTime(latencyMs, baseline.latencyMs);
  return { ...measured(baseline, null, figure(time, "")), kind: "baseline" };
}

function measured(
  row: ReportRow,
  baseline: ReportRow | null,
  time = figure(fromTo(row.latencyMs), tailText(row.latencyMs)),
): Row {
  const { latencyMs, parity, memoryBytes, startupMs, sizeBytes, accuracy } = row;
  const [fast = "", interval = ""] = speed(latencyMs).split(/ (?=\[)/);
  return {
    kind: "chosen",
    cells: [
      row.target,
      under(row.name, baseline ? smaller(sizeBytes, baseline.sizeBytes) : ""),
      figure(bytes(sizeBytes.brotli), `raw ${bytes(sizeBytes.raw)}, gzip ${bytes(sizeBytes.gzip)}`),
      time,
      figure(fast, interval),
      accuracy
        ? figure(
            `${accuracy.metric} ${accuracyText(accuracy)}`,
            changeText(accuracy) || `${accuracy.n} samples`,
          )
        : figure("–", ""),
      parity
        ? figure(parity.maxError.toExponential(1), `${parity.flips} flips of ${parity.n}`)
        : figure("–", ""),
      memoryBytes === null ? "–" : bytes(memoryBytes),
      startupMs === null ? "–" : `${digits(startupMs)} ms`,
    ],
  };
}

function tailText(latency: ReportRow["latencyMs"]): string {
  if (!isTimed(latency)) return "";
  const tail = [["p90", latency.p90] as const, ["p99", latency.p99] as const];
  return tail
    .flatMap(([name, value]) => (value === null ? [] : [`${name} ${digits(value)}`]))
    .join(", ");
}

export function candidateTable(report: Report): Markup {
  const targets = [...new Set(report.candidates.map(({ target }) => target))];
  const rows = targets.flatMap((target) =>
    numbered(report, target).map(({ number: index, candidate }): Row => {
      const { measurement, tried, expectedGain } = candidate;
      return {
        kind: candidate.verdict,
        cells: [
          number(index),
          target,
          under(candidate.name, candidate.precision),
          under(badge(candidate.verdict), triedText(tried)),
          number(measurement ? bytes(measurement.sizeBytes.brotli) : "–"),
          number(measurement ? timeText(measurement) : "–"),
          changed(measurement),
          reason(under(candidate.reason, expectedText(expectedGain))),
        ],
      };
    }),
  );
  return table(
    ["#", "target", "candidate", "verdict", "download", "latency", "change", "why"],
    rows,
  );
}

export function stepTable(report: Report): Markup {
  const rows = report.steps.map((step): Row => ({
    cells: [
      step.target,
      under(step.name, groupText(step)),
      under(badge(step.verdict), triedText(step.tried)),
      number(`${step.nodesBefore} → ${step.nodesAfter}`),
      number(`${bytes(step.bytesBefore)} → ${bytes(step.bytesAfter)}`),
      number(step.measurement ? timeText(step.measurement) : "–"),
      changed(step.measurement),
      reason(step.reason),
    ],
  }));
  return table(["target", "step", "verdict", "nodes", "bytes", "latency", "change", "why"], rows);
}

/** Of what the search timed in a few blocks, the ratio is worth more than the milliseconds. */
function timeText({ latencyMs }: Measurement): string {
  if (!isTimed(latencyMs) || latencyMs.ratio === null || latencyMs.baselineP50 !== undefined)
    return fromTo(latencyMs);
  return `${latencyMs.ratio.toFixed(2)}×`;
}

/** While searching, a quicker engine may have answered for the target's own. */
function changed(measurement: Measurement | null): Cell {
  const accuracy = measurement?.accuracy ?? null;
  const [change = "", interval = ""] = changeText(accuracy).split(/ (?=\[)/);
  const elsewhere =
    accuracy === null || change === "" || accuracy.measuredOn === measurement?.target
      ? ""
      : ` on ${accuracy.measuredOn}`;
  return figure(change || "–", `${interval}${elsewhere}`);
}
