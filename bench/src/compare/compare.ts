import {
  type Artifact,
  type Disagreement,
  engineRefusals,
  type Evidence,
  isPareError,
  type Measure,
  type Measurement,
  type PareError,
  type Report,
  type ReportCheck,
  reportFormatVersion,
  type ReportRow,
  type TargetName,
} from "@pare/runtime/format";
import { findDisagreements } from "../measure/disagreements.js";
import { createMeasure, type MeasureOptions } from "../measure/measure.js";
import { finalLimits, measureWhole, type WholeRequest } from "../measure/whole.js";
import { isTimed } from "../report/figures.js";
import { checkAccuracy, checkLatencies, checkSize, type Gate, isSlower } from "./gate.js";

/** A model as a comparison shows it. */
export interface BenchModel {
  readonly name: string;
  /**
   * As a target loads it; the same for the same target each time.
   * @throws PareError UNSUPPORTED_OP, MODEL_LIMIT where it cannot be compiled for it
   */
  readonly artifactFor: (target: TargetName) => Promise<Artifact>;
  readonly parameters: number;
  readonly macs: number | null;
}

export interface CompareRequest extends MeasureOptions {
  readonly baseline: BenchModel;
  readonly candidates: readonly BenchModel[];
  readonly targets: readonly TargetName[];
  /** Of the accuracy, or of what stands for it: `none` without data. */
  readonly evidence: Evidence;
  /** What each candidate may cost on each target. Null: nothing is gated. */
  readonly gate: ((model: BenchModel, target: TargetName) => Gate) | null;
  /** What the report says besides. */
  readonly context: Pick<
    Report,
    "command" | "createdAt" | "environment" | "shapes" | "data" | "nextStep" | "skipped"
  >;
  readonly signal?: AbortSignal;
  /** Told before each measurement. */
  readonly onMeasure?: (about: {
    readonly model: string;
    readonly target: TargetName;
    readonly index: number;
    readonly count: number;
  }) => void;
}

export interface Comparison {
  readonly report: Report;
  /** False when a check was missed; what could not be decided passes. */
  readonly passed: boolean;
  readonly missed: readonly ReportCheck[];
}

/** How often a slowdown must show, in engines' sessions made anew, before it is called one: where memory lies alone can cost 2 %. */
const confirmations = 2;

/**
 * Measures candidates against a baseline, interleaved, on every target, on the test samples. Equal files are measured
 * like any others.
 */
export async function compare(request: CompareRequest): Promise<Comparison> {
  const { baseline, candidates, targets } = request;
  const measure = createMeasure(request);
  const rows: {
    readonly model: BenchModel;
    readonly measurement: Measurement;
    readonly before: Measurement;
  }[] = [];
  const refused: ReportCheck[] = [];
  const skipped = [...request.context.skipped];
  let index = 0;
  const tell = (model: string, target: TargetName) =>
    request.onMeasure?.({
      model,
      target,
      index: index++,
      count: targets.length * (candidates.length + 1),
    });

  for (const target of targets) {
    tell(baseline.name, target);
    const ask = askOn(request, target);
    const before = await orRefusal(async () =>
      measureWhole(measure, { ...ask, ...(await asLoaded(baseline, ask)) }),
    );
    if (typeof before === "string") {
      skipped.push({ target, reason: `The baseline cannot be measured: ${before}` });
      index += candidates.length;
      continue;
    }
    for (const model of candidates) {
      tell(model.name, target);
      const measured = await orWrongAnswers(() =>
        orRefusal(async () => {
          const own = await asLoaded(model, ask);
          const whole = { ...ask, ...own, baseline: await baseline.artifactFor(target) };
          const first = await measureWhole(measure, whole);
          return request.gate ? confirm(measure, whole, first, request.gate(model, target)) : first;
        }),
      );
      if (isPareError(measured))
        refused.push({
          ...unloaded(target, model.name, `Its answers are none that fit: ${measured.message}`),
          what: "accuracy",
        });
      else if (typeof measured === "string") refused.push(unloaded(target, model.name, measured));
      else rows.push({ model, before, measurement: measured });
    }
  }

  // A gate that could compare nothing is missed: by the baseline, on each target where it cannot be measured.
  const uncompared =
    rows.length > 0 || refused.length > 0
      ? []
      : skipped
          .slice(request.context.skipped.length)
          .map(({ target, reason }) => unloaded(target, baseline.name, reason));
  const checks = request.gate ? [...refused, ...uncompared, ...gated(rows, request.gate)] : refused;
  const report: Report = {
    formatVersion: reportFormatVersion,
    model: candidates.length === 1 ? (candidates[0]?.name ?? baseline.name) : baseline.name,
    ...request.context,
    skipped,
    float: rows[0] ? rowOf(baseline, rows[0].before, request.evidence) : null,
    variants: rows.map(({ model, measurement, before }) => ({
      ...rowOf(model, measurement, request.evidence),
      precision: "as given",
      file: model.name,
      baseline: rowOf(baseline, before, request.evidence),
    })),
    steps: [],
    candidates: [],
    why: [],
    disagreements: await disagreementsOf(request, rows),
    ...(request.gate || refused.length > 0 ? { checks } : {}),
  };
  const missed = checks.filter(({ outcome }) => outcome === "missed");
  return { report, passed: missed.length === 0, missed };
}

function unloaded(target: TargetName, name: string, reason: string): ReportCheck {
  return { target, name, what: "loads", outcome: "missed", reason };
}

/** The result, or why the engine refused; anything else that goes wrong is thrown. */
export async function orRefusal<T>(measure: () => Promise<T>): Promise<T | string> {
  try {
    return await measure();
  } catch (error) {
    if (isPareError(error) && engineRefusals.includes(error.code)) return error.message;
    throw error;
  }
}

/** The baseline answered to these labels: where a candidate cannot, as one of fewer classes, it is no fault of theirs. */
async function orWrongAnswers<T>(measure: () => Promise<T>): Promise<T | PareError> {
  try {
    return await measure();
  } catch (error) {
    if (isPareError(error) && error.code === "LABELS") return error;
    throw error;
  }
}

/** A model as the target loads it, and as the engine does that it is to agree with. */
export async function asLoaded(
  { artifactFor }: BenchModel,
  { target, referenceTarget }: Pick<WholeRequest, "target" | "referenceTarget">,
): Promise<Pick<WholeRequest, "artifact" | "onReference">> {
  return {
    artifact: await artifactFor(target),
    onReference: referenceTarget === null ? undefined : await artifactFor(referenceTarget),
  };
}

/** A candidate that looks slower is timed again in new sessions, and the fastest of the answers counts. */
async function confirm(
  measure: Measure,
  { artifact, baseline = artifact, target, signal }: WholeRequest,
  first: Measurement,
  gate: Gate,
): Promise<Measurement> {
  let best = first;
  for (let again = 1; again <= confirmations; again++) {
    if (!isTimed(best.latencyMs) || !isSlower(best.latencyMs, gate)) return best;
    const { latencies } = await measure.latency({
      artifacts: [baseline, artifact],
      target,
      limits: finalLimits,
      seed: again,
      fresh: true,
      signal,
    });
    const latencyMs = latencies[1];
    if (latencyMs && (latencyMs.ratio ?? Infinity) < (best.latencyMs.ratio ?? Infinity))
      best = { ...best, latencyMs };
  }
  return best;
}

/** What is the same for every model on a target. A GPU that is emulated is answered for by a CPU engine. */
export function askOn(
  { hosts, signal }: Pick<CompareRequest, "hosts" | "signal">,
  target: TargetName,
): Omit<WholeRequest, "artifact" | "baseline"> {
  const host = hosts.get(target);
  const software = host?.software === true;
  const referenceTarget = hosts.has("cpu") ? "cpu" : software && hosts.has("wasm") ? "wasm" : null;
  return {
    target,
    engine: host?.engine ?? "",
    referenceTarget,
    standIn: software ? referenceTarget : null,
    split: "test",
    signal,
  };
}

function gated(
  rows: readonly {
    readonly model: BenchModel;
    readonly measurement: Measurement;
    readonly before: Measurement;
  }[],
  gate: (model: BenchModel, target: TargetName) => Gate,
): ReportCheck[] {
  const held = rows.map((row) => ({ ...row, gate: gate(row.model, row.measurement.target) }));
  const latencies = checkLatencies(held);
  return held.flatMap(({ model, measurement, before, gate: own }, index) =>
    [
      ...checkAccuracy(measurement, own),
      ...(latencies[index] ?? []),
      ...checkSize(measurement.sizeBytes, before.sizeBytes, own),
    ].map((check) => ({ target: measurement.target, name: model.name, ...check })),
  );
}

function rowOf(model: BenchModel, measurement: Measurement, evidence: Evidence): ReportRow {
  return {
    name: model.name,
    evidence,
    parameters: model.parameters,
    macs: model.macs,
    ...measurement,
  };
}

async function disagreementsOf(
  request: CompareRequest,
  rows: readonly { readonly model: BenchModel; readonly measurement: Measurement }[],
): Promise<Disagreement[]> {
  const { scorer, samples, splits, baseline, hosts, signal } = request;
  const all: Disagreement[] = [];
  for (const { model, measurement } of rows) {
    const { accuracy, target } = measurement;
    const host = accuracy && hosts.get(accuracy.measuredOn);
    if (!scorer || !host) continue;
    const { name, artifactFor } = model;
    const found = await orRefusal(async () =>
      findDisagreements({
        host,
        target,
        variant: name,
        artifact: await artifactFor(accuracy.measuredOn),
        float: await baseline.artifactFor(accuracy.measuredOn),
        accuracy,
        samples,
        indexes: splits.test,
        scorer,
        limit: 6,
        ...(signal && { signal }),
      }),
    );
    // What was measured stands, also where there is nothing to show beside it.
    if (typeof found !== "string") all.push(...found);
  }
  return all;
}
