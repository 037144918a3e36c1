import {
  type Disagreement,
  type Measurement,
  type Report,
  reportFormatVersion,
  type ReportRow,
} from "@pare/runtime/format";
import { countMacs, countParameters } from "../../analysis/index.js";
import type { Graph } from "../../ir/index.js";
import { floatName } from "../candidate.js";
import {
  type Optimized,
  type OptimizedVariant,
  type OptimizeRequest,
  variantId,
} from "../request.js";

export interface ReportContext {
  readonly model: string;
  readonly command: string;
  readonly createdAt: string;
  readonly environment: Report["environment"];
  readonly shapes: Report["shapes"];
  readonly data: Report["data"];
  readonly disagreements: readonly Disagreement[];
  readonly nextStep: string | null;
}

/** `report.json`: what was measured, what was tried, what was done to each node and why. */
export function reportOf(
  request: Pick<OptimizeRequest, "graph" | "evidence">,
  optimized: Optimized,
  context: ReportContext,
): Report {
  const floatRow = (measurement: Measurement): ReportRow =>
    row(floatName, measurement, request.graph, request.evidence);
  const baselines = optimized.variants.flatMap(({ baseline }) =>
    baseline === null ? [] : [baseline],
  );
  return {
    formatVersion: reportFormatVersion,
    ...context,
    float: baselines[0] === undefined ? null : floatRow(baselines[0]),
    variants: optimized.variants.map((variant) => ({
      ...row(variantId(variant), variant.measurement, variant.graph, variant.evidence),
      precision: variant.precision,
      file: `variants/${variant.files[0]?.sha256}.${variant.artifact.format}`,
      baseline: variant.baseline === null ? null : floatRow(variant.baseline),
      shares: variant.shares,
    })),
    steps: optimized.steps,
    candidates: optimized.candidates,
    skipped: optimized.skipped,
    why: optimized.why,
    sensitivity: optimized.sensitivity,
    ...(optimized.time !== null && { time: optimized.time }),
  };
}

function row(
  name: string,
  measurement: Measurement,
  graph: Graph,
  evidence: OptimizedVariant["evidence"],
): ReportRow {
  const { target, engine, sizeBytes, accuracy, parity, latencyMs, memoryBytes, startupMs } =
    measurement;
  return {
    name,
    target,
    engine,
    evidence,
    sizeBytes,
    parameters: countParameters(graph),
    macs: countMacs(graph),
    accuracy,
    parity,
    latencyMs,
    memoryBytes,
    startupMs,
  };
}
