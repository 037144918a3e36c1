import { judgedBy, metricValue, signed, speedAlone, targetText } from "@pare/bench";
import type { Latency, Report, ReportRow, Unmeasured } from "@pare/runtime/format";
import type { OutputOptions } from "../terminal/output.js";
import { byteText, millisecondText, tableText } from "../terminal/words.js";

/** What a reader wants to see first: per target, what was chosen and what it came to, and what was turned down. */
export function summaryText(report: Report, { quiet = false }: OutputOptions = {}): string {
  const counts = new Set(report.variants.flatMap(({ accuracy }) => accuracy?.n ?? []));
  const rows = [
    ["", "variant", "download", judgedBy(report), "change", "latency", ""],
    ...report.variants.map((row) => variantRow(row, row.baseline, counts.size > 1)),
  ];
  const parts = report.variants.length > 0 ? [tableText(rows, new Set([0, 1, 4, 6]))] : [];
  const revertedSteps = report.steps.filter(({ verdict }) => verdict === "reverted");
  const reverted = revertedSteps.map(told);
  const others = report.candidates
    .filter(
      ({ verdict, target, reason }) =>
        verdict === "rejected" &&
        !revertedSteps.some((step) => step.target === target && step.reason === reason),
    )
    .map(told);
  if (reverted.length > 0) parts.push(`reverted\n${tableText(reverted, new Set([0, 1, 2]))}`);
  if (others.length > 0) parts.push(`not chosen\n${tableText(others, new Set([0, 1, 2]))}`);
  if (report.skipped.length > 0)
    parts.push(
      report.skipped.map(({ target, reason }) => `skipped ${target}: ${reason}`).join("\n"),
    );
  // What a processor does is for the report; what a caller may pass, for everybody.
  const settled = report.variants.flatMap(({ target, restsOn }) =>
    target === "aot" && restsOn !== undefined ? [`${target}: ${restsOn}`] : [],
  );
  const noFlips = report.variants.map(({ accuracy }) => accuracy?.noFlips);
  const notes = [report.data.caveat, ...noFlips, ...settled];
  for (const note of quiet ? [] : new Set(notes)) if (note) parts.push(`note: ${note}`);
  return parts.join("\n\n");
}

/** @param counted rows are of different samples, so that their metrics are no two of one thing */
function variantRow(
  row: Report["variants"][number],
  baseline: ReportRow | null,
  counted: boolean,
): string[] {
  const { accuracy } = row;
  return [
    targetText(row.target),
    row.name.replace(`${row.target}-`, ""),
    baseline === null
      ? byteText(row.sizeBytes.brotli)
      : `${byteText(baseline.sizeBytes.brotli)} → ${byteText(row.sizeBytes.brotli)}`,
    accuracy === null
      ? "not checked"
      : `${accuracy.metric} ${metricValue(accuracy.value)}${counted ? ` on ${accuracy.n}` : ""}`,
    changeText(row),
    latencyText(row.latencyMs),
    row.evidence === "none" ? "evidence: none" : "",
  ];
}

function changeText({ accuracy }: ReportRow): string {
  if (accuracy === null || accuracy.drop === null) return "";
  const flips =
    accuracy.flips === null
      ? ""
      : `, ${accuracy.flips.count} of ${accuracy.flips.n} flipped [${accuracy.flips.interval.map((share) => `${(share * 100).toFixed(1)} %`).join(", ")}]`;
  return `${signed(accuracy.direction === "higher" ? -accuracy.drop : accuracy.drop, accuracy.value)}${flips}`;
}

/** The ratio comes from one interleaved run; the baseline's own milliseconds were timed at another moment. */
function latencyText(latency: Latency | Unmeasured): string {
  if ("unmeasured" in latency) return "not timed";
  const change = speedAlone(latency);
  return `${millisecondText(latency.p50)}${change === "" ? "" : `, ${change}`}`;
}

function told({
  target,
  name,
  reason,
}: {
  readonly target: string;
  readonly name: string;
  readonly reason: string;
}): string[] {
  return [`  ${target}`, name, reason];
}
