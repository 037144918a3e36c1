import {
  isAllowedDrop,
  type Latency,
  type Measurement,
  type ReportCheck,
  type SizeBytes,
} from "@pare/runtime/format";
import { bytes, digits, isTimed, metricValue } from "../report/figures.js";
import { benjaminiHochberg } from "../statistics/benjamini-hochberg.js";
import { normalTail } from "../statistics/normal.js";
import { noticeable } from "../timing/ratio.js";

/** What a candidate may cost on a target. Budgets that are not given are not checked, but for the first three, which have defaults. */
export interface Gate {
  /** In the metric's own unit; 0 where not given. Missed when the whole interval of the drop lies above; without one, the drop. */
  readonly maxDrop?: number | undefined;
  /** 0.02 where not given. Missed when the whole interval of the ratio lies above 1 + this. */
  readonly maxSlowdown?: number | undefined;
  /** Bytes over the baseline's, uncompressed; 0 where not given: what is counted exactly has no tolerance. */
  readonly maxGrowthBytes?: number | undefined;
  /** Of the files, uncompressed. */
  readonly maxSizeBytes?: number | undefined;
  /** Of the median. */
  readonly maxLatencyMs?: number | undefined;
}

type Outcome = Pick<ReportCheck, "what" | "outcome" | "reason">;

export function checkAccuracy({ accuracy }: Measurement, { maxDrop = 0 }: Gate): Outcome[] {
  if (!accuracy || accuracy.drop === null)
    return [{ what: "accuracy", outcome: "inconclusive", reason: "Not measured: without data nothing is known of it. --data names samples." }]; // prettier-ignore
  const { drop, dropInterval, metric, direction, n, flips, value } = accuracy;
  const told = (change: number): string => metricValue(change, value);
  const [low, high] = dropInterval ?? [drop, drop];
  const isOver = (one: number): boolean => !isAllowedDrop(one, maxDrop);
  const outcome = isOver(low) ? "missed" : isOver(drop) ? "inconclusive" : "passed";
  const changed = flips && flips.count > 0 ? ` ${flips.count} of ${flips.n} answers changed.` : "";
  const interval = dropInterval && ` [${told(low)}, ${told(high)}]`;
  const reason = `${metric} ${direction === "higher" ? "dropped" : "rose"} by ${told(drop)}${interval ?? ""} on ${n} samples; ${told(maxDrop)} is allowed.${changed}`;
  return [{ what: "accuracy", outcome, reason }];
}

export function checkSize(
  size: SizeBytes,
  baseline: SizeBytes,
  { maxGrowthBytes = 0, maxSizeBytes }: Gate,
): Outcome[] {
  const growth = size.raw - baseline.raw;
  const against: Outcome = {
    what: "size",
    outcome: growth > maxGrowthBytes ? "missed" : "passed",
    reason:
      growth === 0
        ? `${bytes(size.raw)}, as before.`
        : `${bytes(size.raw)}, ${Math.abs(growth)} bytes ${growth > 0 ? "more" : "less"} than before; ${maxGrowthBytes} more are allowed.`,
  };
  if (maxSizeBytes === undefined) return [against];
  const budget: Outcome = {
    what: "size",
    outcome: size.raw > maxSizeBytes ? "missed" : "passed",
    reason: `${bytes(size.raw)}; ${bytes(maxSizeBytes)} are allowed.`,
  };
  return [against, budget];
}

/** Whether the interval of the ratio lies above what is allowed. */
export function isSlower(latency: Latency, { maxSlowdown = noticeable }: Gate): boolean {
  return latency.ratioInterval !== null && latency.ratioInterval[0] > 1 + maxSlowdown;
}

/**
 * Latency over a whole matrix of models and targets. One among many looks slower by chance: a slowdown counts only
 * if it is also a discovery by Benjamini and Hochberg's procedure at 5 %.
 */
export function checkLatencies(
  rows: readonly { readonly measurement: Measurement; readonly gate: Gate }[],
): Outcome[][] {
  const compared = rows.map(({ measurement: { latencyMs }, gate }) =>
    isTimed(latencyMs) && latencyMs.ratio !== null && latencyMs.ratioInterval
      ? { latency: latencyMs, gate }
      : null,
  );
  const tested = compared.filter((each) => each !== null);
  const discoveries = benjaminiHochberg(
    tested.map((each) => chanceOfSlowdown(each.latency, each.gate)),
  );
  return rows.map(({ measurement, gate }, index) => {
    const each = compared[index];
    const budget = checkBudget(measurement, gate);
    if (!each) return budget;
    const discovery = discoveries[tested.indexOf(each)] ?? false;
    return [ratioOutcome(each.latency, each.gate, discovery), ...budget];
  });
}

function ratioOutcome(latency: Latency, gate: Gate, discovery: boolean): Outcome {
  const { maxSlowdown = noticeable } = gate;
  const [low, high] = latency.ratioInterval ?? [0, 0];
  const reason = `${digits(latency.p50)} ms, ${latency.ratio?.toFixed(3)} of the baseline's time [${low.toFixed(3)}, ${high.toFixed(3)}]; ${(1 + maxSlowdown).toFixed(2)} is allowed.`;
  if (isSlower(latency, gate) && discovery) return { what: "latency", outcome: "missed", reason };
  return { what: "latency", outcome: high > 1 + maxSlowdown ? "inconclusive" : "passed", reason };
}

function checkBudget({ latencyMs }: Measurement, { maxLatencyMs }: Gate): Outcome[] {
  if (maxLatencyMs === undefined) return [];
  if (!isTimed(latencyMs))
    return [
      { what: "latency", outcome: "inconclusive", reason: `Not timed: ${latencyMs.unmeasured}` },
    ];
  return [
    {
      what: "latency",
      outcome: latencyMs.p50 > maxLatencyMs ? "missed" : "passed",
      reason: `${digits(latencyMs.p50)} ms; ${digits(maxLatencyMs)} ms are allowed.`,
    },
  ];
}

/** One-sided p-value of "no slower than allowed", taking the 99 % interval of the ratio's logarithm for a normal one. */
function chanceOfSlowdown(
  { ratio, ratioInterval }: Latency,
  { maxSlowdown = noticeable }: Gate,
): number {
  const [low, high] = ratioInterval ?? [1, 1];
  const deviation = (Math.log(high) - Math.log(low)) / (2 * 2.575829);
  const distance = Math.log(ratio ?? 1) - Math.log(1 + maxSlowdown);
  return deviation > 0 ? normalTail(distance / deviation) : distance > 0 ? 0 : 1;
}
