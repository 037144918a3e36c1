import { type Report, type ReportRow, visibleJson } from "@pare/runtime/format";
import { accuracyText, isTimed, metricValue } from "./figures.js";

/** A row as the common benchmark-tracking action reads it. */
export interface BenchmarkEntry {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly range?: string;
  readonly extra?: string;
}

/** Rows in all of which smaller is better (`customSmallerIsBetter`): so a metric enters as its drop. */
export function benchmarkEntries(report: Report): BenchmarkEntry[] {
  return report.variants.flatMap((row) => rowEntries(report.model, row));
}

export function toBenchmarkAction(report: Report): string {
  return `${visibleJson(benchmarkEntries(report))}\n`;
}

function rowEntries(model: string, row: ReportRow): BenchmarkEntry[] {
  const name = `${model} · ${row.name} · ${row.target}`;
  const entries: BenchmarkEntry[] = [
    {
      name: `${name} · size`,
      unit: "bytes",
      value: row.sizeBytes.brotli,
      extra: `brotli; raw ${row.sizeBytes.raw}, gzip ${row.sizeBytes.gzip}`,
    },
  ];
  const { latencyMs, accuracy } = row;
  if (isTimed(latencyMs)) {
    const ratio =
      latencyMs.ratio === null
        ? ""
        : `; ${latencyMs.ratio.toFixed(3)} of the baseline's [${latencyMs.ratioInterval?.map((bound) => bound.toFixed(3)).join(", ")}]`;
    const { p50, p90 } = latencyMs;
    entries.push({
      name: `${name} · latency`,
      unit: "ms",
      value: p50,
      ...(p90 !== null && { range: `± ${metricValue(Math.max(0, p90 - p50))}` }),
      extra: `p50${p90 === null ? "" : `; p90 ${p90}`}${ratio}; ${row.engine}; ${latencyMs.method}`,
    });
  }
  if (accuracy && accuracy.drop !== null) {
    const { dropInterval: interval } = accuracy;
    entries.push({
      name: `${name} · drop of ${accuracy.metric}`,
      unit: accuracy.metric,
      value: accuracy.drop,
      ...(interval && { range: `± ${metricValue((interval[1] - interval[0]) / 2)}` }),
      extra: `${accuracyText(accuracy)} on ${accuracy.n} samples`,
    });
  }
  if (row.memoryBytes !== null)
    entries.push({ name: `${name} · memory`, unit: "bytes", value: row.memoryBytes });
  if (row.startupMs !== null)
    entries.push({ name: `${name} · start-up`, unit: "ms", value: row.startupMs });
  return entries;
}
