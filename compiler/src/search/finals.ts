import {
  type Accuracy,
  fileHashes,
  type Latency,
  type LatencyComparison,
  type LatencyRequest,
  type Measurement,
  type ReportCandidate,
  throwIfAborted,
  type Unmeasured,
} from "@pare/runtime/format";
import type { Tried } from "./candidate.js";
import { finalLimits } from "./costs.js";
import { type Decided, measurementOf, type Record } from "./record.js";
import { checkAgreement } from "./reference.js";
import { isRefusal } from "./trial.js";
import type { Limits, OptimizedVariant, OptimizeRequest } from "./request.js";
import { contendersOf, relativeTo, type TargetState } from "./target-state.js";
import {
  accuracyText,
  checkAccuracy,
  choose,
  gainText,
  orderOf,
  type Relative,
  round,
  tieBand,
  undecidedBand,
} from "./verdict.js";
import { explain } from "./why.js";

/** More than so many are not timed against each other: the others are clearly slower. */
const mostFinalists = 4;
/** Within so much of the best median a candidate may still turn out to be the best. */
const closeBand = 0.03;

export interface FinalsContext {
  readonly request: OptimizeRequest;
  readonly state: TargetState;
  readonly record: Record;
  readonly validation: number;
  /** Test samples that are looked at: fixed before they are. */
  readonly test: number;
  /** Whether there is time for a candidate and the float model on so many more. */
  readonly affordsMore: (samples: number) => boolean;
  readonly limitMs: number;
  readonly say: (what: string) => void;
}

/** Accepted candidates, best first, and what was seen when they were timed against each other. */
export interface Ranking {
  readonly ranked: readonly Tried[];
  /** Why each is not better than the first. */
  readonly reasons: ReadonlyMap<string, string>;
  /** No candidate is within what the user allows: what is the matter with the best one. */
  readonly missed: string | null;
}

/** Times the finalists against each other and orders all that is accepted by the rule of choice. */
export async function rankFinalists(context: FinalsContext): Promise<Ranking> {
  const { request, state } = context;
  const { prefer } = request.budget;
  const limits = request.budget.limits(state.device.target);
  const all = contendersOf(state);
  const within = all.filter((one) => overLimits(one, limits) === null);
  const contenders = within.length > 0 ? within : all;
  const { all: timed, between } =
    prefer === "latency"
      ? await timeFinalists(context, contenders)
      : { all: contenders, between: relativeTo };
  const order = choose(
    timed.map(({ name, size }) => ({ name, brotli: size.brotli })),
    (a, b) => {
      const [one, other] = [timed[a], timed[b]];
      return one === undefined || other === undefined ? null : between(one, other);
    },
    prefer,
  );
  const ranked = order.flatMap((index) => timed[index] ?? []);
  const [best] = ranked;
  const reasons = new Map(
    best === undefined
      ? []
      : ranked.map((one) => [one.name, reasonFor(one, best, between(best, one))] as const),
  );
  const missed = within.length > 0 || best === undefined ? null : overLimits(best, limits);
  const over = all.filter((one) => !contenders.includes(one));
  for (const one of over)
    context.record.turnDown(
      state.device.target,
      { ...one, expected: null },
      "decided",
      overLimits(one, limits) ?? "",
      measurementOf(state.device, one),
    );
  return { ranked, reasons, missed };
}

/** Accepted candidates, and how the times of two of them compare. */
interface Field {
  readonly all: readonly Tried[];
  /** The second's time over the first's. */
  readonly between: (a: Tried, b: Tried) => Relative | null;
}

/**
 * Those that may win, in the same blocks; the others keep the times of the search. Where an earlier run timed the same
 * finalists, only those are timed again that could still win by what it saw.
 */
async function timeFinalists(context: FinalsContext, all: readonly Tried[]): Promise<Field> {
  const { request, state, limitMs, say } = context;
  let field: Field = { all, between: relativeTo };
  const asked = (finalists: readonly Tried[]): LatencyRequest => ({
    artifacts: [state.reference, ...finalists.map(({ artifact }) => artifact)],
    target: state.device.target,
    limits: finalLimits(state.facts.runMs),
    seed: 2,
    signal: request.signal,
    limitMs,
  });
  let finalists = stillOpen(field, false);
  if (finalists.length < 2) return field;
  const before = await request.measure.earlierLatency(asked(finalists));
  if (before !== null) {
    const names = new Set(finalists.map(({ name }) => name));
    field = timedTogether(field, finalists, before);
    finalists = stillOpen(field, true).filter(({ name }) => names.has(name));
    if (finalists.length < 2) return field;
  }
  say(`finalists against each other: ${finalists.map(({ name }) => name).join(", ")}`);
  return timedTogether(field, finalists, await request.measure.latency(asked(finalists)));
}

/**
 * Who may still win: not surely slower than the fastest, and no smaller one is as fast.
 * @param settled they had their time together: what stayed undecided within the band is a tie
 */
function stillOpen({ all, between }: Field, settled: boolean): readonly Tried[] {
  const timed = all.filter(({ latency }) => latency !== null);
  const ratio = (a: Tried, b: Tried): number => between(a, b)?.ratio ?? 1;
  const fastest = timed.reduce<Tried | null>(
    (best, one) => (best === null || ratio(best, one) < 1 ? one : best),
    null,
  );
  if (fastest === null) return [];
  const low = (a: Tried, b: Tried): number => between(a, b)?.interval[0] ?? 1;
  const isBeaten = (one: Tried): boolean =>
    timed.some((other) => {
      const muchSmaller = other.size.brotli <= one.size.brotli * (1 - tieBand);
      if (!settled) return muchSmaller && low(other, one) >= 1 / (1 + tieBand);
      const tie = muchSmaller ? undecidedBand : tieBand;
      return other.size.brotli < one.size.brotli && ratio(other, one) >= 1 / (1 + tie);
    });
  const band = settled ? tieBand : closeBand;
  return timed
    .filter((one) => low(fastest, one) <= 1 + band && !isBeaten(one))
    .sort((a, b) => ratio(fastest, a) - ratio(fastest, b))
    .slice(0, mostFinalists);
}

/** With what was seen when some of them, after the reference, were timed in the same blocks. */
function timedTogether(
  { all, between }: Field,
  some: readonly Tried[],
  { between: seen }: LatencyComparison,
): Field {
  const place = new Map<Tried, number>();
  const now = all.map((one): Tried => {
    const index = some.indexOf(one);
    const latency = index < 0 ? undefined : seen[0]?.[index + 1];
    const tried = latency === undefined ? one : { ...one, latency };
    if (index >= 0) place.set(tried, index + 1);
    return tried;
  });
  return {
    all: now,
    between(a, b) {
      const [from, to] = [place.get(a), place.get(b)];
      return (from && to && seen[from]?.[to]) || between(a, b);
    },
  };
}

function overLimits({ artifact, tryOut }: Tried, limits: Limits): string | null {
  const bytes = artifact.files.reduce((sum, file) => sum + file.bytes.byteLength, 0);
  const { maxSizeBytes, maxLatencyMs } = limits;
  if (maxSizeBytes !== undefined && bytes > maxSizeBytes)
    return `its files have ${bytes} bytes, over --max-size ${maxSizeBytes}`;
  if (maxLatencyMs !== undefined && tryOut.runMs > maxLatencyMs)
    return `it takes ${round(tryOut.runMs)} ms, over --max-latency ${maxLatencyMs}`;
  return null;
}

function reasonFor(one: Tried, best: Tried, compared: Relative | null): string {
  const size = one.size.brotli / best.size.brotli;
  const lost = one.accuracy === null ? "" : `; ${accuracyText(one.accuracy)}`;
  const text = `next to ${best.name}: ${gainText(compared, size)}${lost}`;
  if (compared === null) return size > 1 ? `larger ${text}` : `no better ${text}`;
  const order = orderOf(compared);
  if (order === "slower") return `slower ${text}`;
  return compared.ratio > 1.02 && order !== "tie"
    ? `slower, not surely, ${text}`
    : `as fast and larger ${text}`;
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

/** What the test samples say of the best that holds on them. */
export interface Tested {
  readonly chosen: Tried;
  readonly accuracy: Accuracy | null;
  readonly baseline: Accuracy | null;
  readonly agreement: Awaited<ReturnType<typeof checkAgreement>>;
  readonly reason: string;
  /** What was better in the search and failed on the test samples. */
  readonly failed: ReadonlyMap<string, string>;
}

/**
 * Takes the best candidate that also holds on the test samples; they are looked at once per candidate.
 * @throws PareError ENGINE, ENGINE_CRASHED, NO_MEMORY where the engine refuses all, the float model too
 */
export async function testRanked(
  context: FinalsContext,
  { ranked }: Ranking,
  parityMs: number,
): Promise<Tested> {
  const { request, state, test, limitMs, say } = context;
  const { measure, evidence, budget, signal } = request;
  const { device, reference } = state;
  const rule = { maxDrop: budget.limits(device.target).maxDrop, evidence };
  const target = device.standIn ?? device.target;
  const ask = { target, split: "test", count: test, signal, limitMs } as const;
  const failed = new Map<string, string>();
  const baselined =
    state.baseline === null || evidence === "none"
      ? null
      : measure.accuracy({ ...ask, artifact: reference });
  // The first candidate waits for it, and hears of its failure.
  baselined?.catch(() => {});
  let open = [...ranked, state.float];
  for (let candidate = open.shift(); candidate !== undefined; candidate = open.shift()) {
    throwIfAborted(signal);
    say(`the test samples: ${candidate.name}`);
    const { artifact } = candidate;
    const isLast = candidate.identity === state.float.identity;
    let answers;
    try {
      // On an emulated GPU the one waits for the CPU engine, and the other for the GPU's.
      answers = await Promise.all([
        baselined,
        evidence === "none" ? null : measure.accuracy({ ...ask, artifact, float: reference }),
        checkAgreement(request, device, candidate, parityMs, limitMs),
      ]);
    } catch (error) {
      if (isLast || !isRefusal(error)) throw error;
      failed.set(candidate.name, `best in the search, but then: ${error.message}`);
      open = await withScreened(context, open);
      continue;
    }
    const [baseline, accuracy, agreement] = answers;
    const verdict = checkAccuracy(accuracy, rule);
    // Where the device's own engine was measured for accuracy, that decides.
    const agrees = agreement.verdict.accepted || (evidence !== "none" && device.standIn === null);
    if (isLast || (verdict.accepted && agrees)) {
      const fell =
        failed.size === 0
          ? ""
          : `; taken after ${[...failed.keys()].join(", ")} failed on these samples, which makes its drop look a little better than it is`;
      const where = evidence === "none" ? "" : "on the test samples: ";
      const reason = `${where}${verdict.reason}${fell}`;
      return { chosen: candidate, accuracy, baseline, agreement, reason, failed };
    }
    const why = verdict.accepted ? agreement.verdict.reason : verdict.reason;
    failed.set(candidate.name, `best in the search, but on the test samples: ${why}`);
    open = await withScreened(context, open);
  }
  throw new RangeError("The float model is always taken.");
}

/** What was turned down next to one that failed now is looked at after all, where it is better than what comes next. */
async function withScreened(
  { request, state, record, validation, test, affordsMore, limitMs, say }: FinalsContext,
  open: readonly Tried[],
): Promise<Tried[]> {
  const { measure, evidence, budget, signal } = request;
  const { device, reference } = state;
  const limits = budget.limits(device.target);
  const all = [...open];
  for (const one of state.screened.splice(0)) {
    throwIfAborted(signal);
    const isNext = all[0] !== undefined && isBetter(one, all[0], budget.prefer);
    if (!isNext || overLimits(one, limits) !== null || !affordsMore(validation + test)) continue;
    say(`${one.name}, after all`);
    const accuracy =
      evidence === "none"
        ? null
        : await measure.accuracy({
            artifact: one.artifact,
            float: reference,
            target: device.standIn ?? device.target,
            split: "validation",
            count: validation,
            signal,
            limitMs,
          });
    const verdict = checkAccuracy(accuracy, { maxDrop: limits.maxDrop, evidence });
    if (!verdict.accepted) continue;
    const tried: Tried = { ...one, accuracy };
    const title = `${one.name}, after what was better failed`;
    const planned = { group: one.groups.at(-1) ?? { steps: [], required: false }, expected: null };
    const measurement = measurementOf(device, tried);
    const { reason } = verdict;
    record.step(
      device.target,
      title,
      true,
      reason,
      state.float,
      one,
      "decided",
      planned,
      measurement,
    );
    const at = all.findIndex((other) => isBetter(tried, other, budget.prefer));
    all.splice(at < 0 ? all.length - 1 : at, 0, tried);
  }
  return all;
}

/** By the rule of choice, on the times of the search. */
function isBetter(one: Tried, other: Tried, prefer: "latency" | "size"): boolean {
  const both = [one, other];
  const [best] = choose(
    both.map(({ name, size }) => ({ name, brotli: size.brotli })),
    (a, b) => relativeTo(both[a], both[b]),
    prefer,
  );
  return best === 0;
}

/** Times what was chosen in blocks that took no part in choosing, and starts it from nothing. */
export async function publish(
  context: FinalsContext,
  ranking: Ranking,
  tested: Tested,
): Promise<Decided> {
  const { request, state, limitMs, say } = context;
  const { device, reference, facts } = state;
  const { chosen } = tested;
  let latencyMs: Latency | Unmeasured = {
    unmeasured: `The GPU of ${device.engine} is emulated on the CPU: its times say nothing.`,
  };
  let baselineMs: Latency | Unmeasured = latencyMs;
  let cold: { memoryBytes: number | null; startupMs: number | null } = {
    memoryBytes: null,
    startupMs: null,
  };
  if (device.standIn === null) {
    say("times to be published");
    const isReference = chosen.artifact === reference;
    const { latencies } = await request.measure.latency({
      artifacts: isReference ? [reference] : [reference, chosen.artifact],
      target: device.target,
      limits: finalLimits(facts.runMs),
      seed: 3,
      signal: request.signal,
      limitMs,
    });
    const [first, second] = latencies;
    baselineMs = first ?? baselineMs;
    latencyMs =
      second ?? (first === undefined ? latencyMs : { ...first, ratio: 1, ratioInterval: [1, 1] });
    const { artifact } = chosen;
    cold = await request.measure.coldStart({
      artifact,
      target: device.target,
      signal: request.signal,
      limitMs,
    });
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
          memoryBytes: null,
          startupMs: null,
        };
  return decidedAs(context, ranking, tested, measurement, baseline);
}

async function decidedAs(
  { request, state, record, test }: FinalsContext,
  { ranked, reasons, missed }: Ranking,
  { chosen, reason, failed }: Tested,
  measurement: Measurement,
  baseline: Measurement | null,
): Promise<Decided> {
  const { device } = state;
  // The float model stands in where what is required failed.
  const told = ranked.some(({ name }) => name === chosen.name) ? ranked : [...ranked, chosen];
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
      measurement: isChosen ? measurement : measurementOf(device, one),
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
    missed: missed === null ? null : `of ${chosen.name}: ${missed}`,
    tested: test,
  };
}

/** The best so far, as it would be written now: nothing was looked at on the test samples. */
export async function interim(
  request: OptimizeRequest,
  state: TargetState,
  best: Tried,
  record: Record,
): Promise<Decided> {
  const { device } = state;
  const measurement = measurementOf(device, best, null);
  const baseline =
    state.baseline === null
      ? null
      : measurementOf(device, { ...state.baseline, latency: null }, null);
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
  { device, reference }: TargetState,
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
    files: await fileHashes(artifact),
    graph: written.graph,
    groups: written.groups,
    measurement,
    baseline,
  };
}
