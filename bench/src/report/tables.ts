import type { Measurement, Report, ReportRow } from "@pare/runtime/format";
import {
  accuracyText,
  bytes,
  changeText,
  digits,
  fromTo,
  isTimed,
  smaller,
  speed,
} from "./figures.js";
import { html, type Markup } from "./markup.js";
import { numbered } from "./plot.js";

export function badge(kind: string): Markup {
  return html`<span class="badge ${kind}">${kind}</span>`;
}

export function table(
  columns: readonly (string | { readonly number: string })[],
  rows: readonly Markup[],
): Markup {
  const heads = columns.map((column) =>
    typeof column === "string"
      ? html`<th>${column}</th>`
      : html`<th class="number">${column.number}</th>`,
  );
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

export function variantTable(report: Report): Markup {
  const rows = report.variants.flatMap((variant) => [
    ...(variant.baseline ? [measured(variant.baseline, null)] : []),
    measured(variant, variant.baseline),
  ]);
  const notes = [
    ...new Set(
      report.variants.flatMap(({ latencyMs }) =>
        isTimed(latencyMs) ? [latencyMs.method] : [latencyMs.unmeasured],
      ),
    ),
  ];
  return html`${table(["target", "model", "download", "latency", "speed", "accuracy", "parity", "memory", "start-up"], rows)}${notes.map((note) => html`<p class="soft small">${note}</p>`)}`;
}

function measured(row: ReportRow, baseline: ReportRow | null): Markup {
  const { latencyMs, parity, memoryBytes, startupMs, sizeBytes, accuracy } = row;
  const [fast, interval] = speed(latencyMs).split(/ (?=\[)/);
  const tail = isTimed(latencyMs)
    ? [["p90", latencyMs.p90] as const, ["p99", latencyMs.p99] as const]
        .flatMap(([name, value]) => (value === null ? [] : [`${name} ${digits(value)}`]))
        .join(", ")
    : "";
  return html`<tr class="${baseline ? "chosen" : "baseline"}">
    <td>${row.target}</td>
    <td>
      ${row.name}
      <div class="soft small">${baseline ? smaller(sizeBytes, baseline.sizeBytes) : ""}</div>
    </td>
    ${lines(bytes(sizeBytes.brotli), `raw ${bytes(sizeBytes.raw)}, gzip ${bytes(sizeBytes.gzip)}`)}${lines(fromTo(latencyMs), tail)}${lines(fast ?? "", interval ?? "")}
    ${accuracy ? lines(`${accuracy.metric} ${accuracyText(accuracy)}`, changeText(accuracy) || `${accuracy.n} samples`) : lines("–", "")}
    ${parity ? lines(parity.maxError.toExponential(1), `${parity.flips} flips of ${parity.n}`) : lines("–", "")}
    <td>${memoryBytes === null ? "–" : bytes(memoryBytes)}</td>
    <td>${startupMs === null ? "–" : `${digits(startupMs)} ms`}</td>
  </tr>`;
}

/** A cell with its figure and, smaller, what belongs to it. */
function lines(figure: string, more: string): Markup {
  return html`<td class="figure">
    ${figure}
    <div class="soft small">${more}</div>
  </td>`;
}

export function candidateTable(report: Report): Markup {
  const targets = [...new Set(report.candidates.map(({ target }) => target))];
  const rows = targets.flatMap((target) =>
    numbered(report, target).map(({ number, candidate }) => {
      const { measurement } = candidate;
      return html`<tr class="${candidate.verdict}">
        <td class="number">${number}</td>
        <td>${target}</td>
        <td>
          ${candidate.name}
          <div class="soft small">${candidate.precision}</div>
        </td>
        <td>${badge(candidate.verdict)}</td>
        <td class="number">${measurement ? bytes(measurement.sizeBytes.brotli) : "–"}</td>
        <td class="number">${measurement ? fromTo(measurement.latencyMs) : "–"}</td>
        ${changed(measurement)}
        <td class="reason">${candidate.reason}</td>
      </tr>`;
    }),
  );
  return table(
    [
      { number: "#" },
      "target",
      "candidate",
      "verdict",
      { number: "brotli" },
      { number: "p50" },
      "change",
      "why",
    ],
    rows,
  );
}

export function stepTable(report: Report): Markup {
  const rows = report.steps.map(
    (step) =>
      html`<tr>
        <td>${step.target}</td>
        <td>${step.name}</td>
        <td>${badge(step.verdict)}</td>
        <td class="number">${step.nodesBefore} → ${step.nodesAfter}</td>
        <td class="number">${bytes(step.bytesBefore)} → ${bytes(step.bytesAfter)}</td>
        <td class="number">${step.measurement ? fromTo(step.measurement.latencyMs) : "–"}</td>
        ${changed(step.measurement)}
        <td class="reason">${step.reason}</td>
      </tr>`,
  );
  return table(
    [
      "target",
      "step",
      "verdict",
      { number: "nodes" },
      { number: "bytes" },
      { number: "p50" },
      "change",
      "why",
    ],
    rows,
  );
}

function changed(measurement: Measurement | null): Markup {
  const [change, interval] = changeText(measurement?.accuracy ?? null).split(/ (?=\[)/);
  return lines(change || "–", interval ?? "");
}
