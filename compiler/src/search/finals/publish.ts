import {
  type Artifact,
  fileHashes,
  type Latency,
  type Measurement,
  type ReportCandidate,
  type Unmeasured,
} from "@pare/runtime/format";
import type { Tried } from "../candidate.js";
import { publishedLimits, screeningLimits } from "../plan/costs.js";
import type { TestContext } from "./finals-context.js";
import type { Ranking } from "./rank-finalists.js";
import { type Decided, measurementOf, type SearchRecord } from "../record/record.js";
import { isRefusal } from "../refusal.js";
import type { OptimizedVariant, OptimizeRequest } from "../request.js";
import { overLimitsOf, type TargetState } from "../trial/target-state.js";
import type { Tested } from "./test-ranked.js";
import { gainText } from "../verdict/verdict.js";
import { explain } from "../record/why.js";

type Cold = Pick<Measurement, "memoryBytes" | "startupMs">;
const notStarted: Cold = { memoryBytes: null, startupMs: null };

/** Times what was chosen in blocks that took no part in choosing, and starts it, and the float model, from nothing. */
export async function publish(
  context: TestContext,
  ranking: Ranking,
  tested: Tested,
): Promise<Decided> {
  const { request, state, isLate, limitMs, say } = context;
  const { device, reference, facts } = state;
  const { chosen } = tested;
  let latencyMs: Latency | Unmeasured = {
    unmeasured: `The GPU of ${device.engine} is emulated on the CPU: its times say nothing.`,
  };
  let baselineMs: Latency | Unmeasured = latencyMs;
  let cold = notStarted;
  let baselineCold = notStarted;
  if (device.standIn === null) {
    say("times to be published");
    const isReference = chosen.artifact === reference;
    const { latencies } = await request.measure.latency({
      artifacts: isReference ? [reference] : [reference, chosen.artifact],
      target: device.target,
      limits: (isLate() ? screeningLimits : publishedLimits)(facts.runMs),
      seed: 3,
      published: true,
      signal: request.signal,
      limitMs,
    });
    const [first, second] = latencies;
    baselineMs = first ?? baselineMs;
    latencyMs =
      second ?? (first === undefined ? latencyMs : { ...first, ratio: 1, ratioInterval: [1, 1] });
    cold = await coldStart(context, chosen.artifact);
    if (isReference) baselineCold = cold;
    else if (!isLate()) baselineCold = await coldStart(context, reference);
  }
  const { size } = chosen;
  const { accuracy, agreement } = tested;
  const common = { target: device.target, engine: device.engine };
  const measurement: Measurement = {
    ...common,
    sizeBytes: size,
    accuracy,
    parity: agreement.parity,
    latencyMs,
    ...cold,
  };
  const baseline: Measurement | null =
    state.baseline === null
      ? null
      : {
          ...common,
          sizeBytes: state.baseline.size,
          accuracy: tested.baseline,
          parity: null,
          latencyMs: baselineMs,
          ...baselineCold,
        };
  return decidedAs(context, ranking, tested, measurement, baseline);
}

async function coldStart(
  { request, state, limitMs }: TestContext,
  artifact: Artifact,
): Promise<Cold> {
  const { target } = state.device;
  try {
    return await request.measure.coldStart({ artifact, target, signal: request.signal, limitMs });
  } catch (error) {
    // It ran, again and again, in an engine that was there.
    if (!isRefusal(error)) throw error;
    return notStarted;
  }
}

async function decidedAs(
  { request, state, record }: TestContext,
  { ranked, reasons }: Ranking,
  { chosen, reason, looked, failed }: Tested,
  measurement: Measurement,
  baseline: Measurement | null,
): Promise<Decided> {
  const { device } = state;
  const names = new Set(ranked.map(({ name }) => name));
  // The float model stands in where what is required failed, and what was turned down where what is better failed.
  const told = [...ranked, ...looked.filter((one) => !names.has(one.name))];
  const over = overLimitsOf(state, request.budget, chosen);
  const candidates = told.map((one): ReportCandidate => {
    const isChosen = one.name === chosen.name;
    return {
      target: device.target,
      name: one.name,
      verdict: isChosen ? "chosen" : "rejected",
      reason: isChosen
        ? `${reason}; ${againstFloat(measurement, baseline)}`
        : (failed.get(one.name) ?? reasons.get(one.name) ?? ""),
      precision: one.precision,
      measurement: isChosen ? measurement : measurementOf(state, one),
      ...(isChosen && { searched: measurementOf(state, one) }),
      tried: "decided",
      expectedGain: null,
    };
  });
  return {
    device,
    chosen,
    variant: await variantOf(request, state, chosen, measurement, baseline),
    candidates,
    why: explain(device.target, chosen, record.stepsOf(device.target)),
    missed: over === null ? null : `of ${chosen.name}: ${over}`,
    tested: measurement.accuracy?.n ?? 0,
  };
}

/** The best so far, as it would be written now: nothing was looked at on the test samples. */
export async function interim(
  request: OptimizeRequest,
  state: TargetState,
  best: Tried,
  record: SearchRecord,
): Promise<Decided> {
  const { device } = state;
  const measurement = measurementOf(state, best, null);
  const baseline =
    state.baseline === null
      ? null
      : measurementOf(state, { ...state.baseline, latency: null }, null);
  if (measurement === null) throw new RangeError("What is best was measured.");
  return {
    device,
    chosen: best,
    variant: await variantOf(request, state, best, measurement, baseline),
    candidates: [],
    why: explain(device.target, best, record.stepsOf(device.target)),
    missed: null,
    tested: 0,
  };
}

async function variantOf(
  { evidence }: OptimizeRequest,
  { device, reference, float }: TargetState,
  chosen: Tried,
  measurement: Measurement,
  baseline: Measurement | null,
): Promise<OptimizedVariant> {
  const { name, precision, artifact, written } = chosen;
  return {
    target: device.target,
    name,
    precision,
    evidence,
    artifact,
    reference,
    referenceGraph: float.written.graph,
    files: await fileHashes(artifact),
    graph: written.graph,
    groups: written.groups,
    shares: written.shares,
    measurement,
    baseline,
  };
}

/** What the choice is worth, by the published times. */
function againstFloat({ sizeBytes, latencyMs }: Measurement, baseline: Measurement | null): string {
  if (baseline === null) return "the engine takes no file of the float model to compare with";
  const { ratio = null, ratioInterval = null } = "unmeasured" in latencyMs ? {} : latencyMs;
  const latency =
    ratio === null || ratioInterval === null ? null : { ratio, interval: ratioInterval };
  const size = sizeBytes.brotli / baseline.sizeBytes.brotli;
  return `next to the model as it was: ${gainText(latency, size)}`;
}
