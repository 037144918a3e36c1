import type { LatencyLimits, TargetName } from "@pare/runtime/format";
import type { Gain } from "../../targets/gains.js";

/** What was found out about the float model on a target before anything is planned. */
export interface TargetFacts {
  readonly target: TargetName;
  /** From bytes to a session. */
  readonly loadMs: number;
  /** One run. */
  readonly runMs: number;
  /** One sample of an accuracy, with all that is done besides the run: transfers, reading, scoring. */
  readonly sampleMs: number;
  /** How many times as quick samples are on the engines that share them; 1 where one goes through all. */
  readonly shared: number;
  /** One validation sample, shared, by the engines that answer there: its own, or quicker ones. */
  readonly answerMs: number;
  /** Nothing is timed on an emulated GPU. */
  readonly timed: boolean;
  /** Its integer products saturate: which layers are sensitive is found out elsewhere. */
  readonly saturates: boolean;
  /** Bytes of the float model. */
  readonly bytes: number;
  /** Nodes with weights. */
  readonly layers: number;
  /** An engine of its own in a browser starts more slowly than a child process. */
  readonly startMs: number;
  /** The accuracy of a candidate is often known before all samples were looked at: the metric is a mean. */
  readonly decidesEarly: boolean;
  /** So many that one answer more that is wrong is still allowed; 0 where an accuracy is no mean of answers. */
  readonly tellingSamples: number;
  /** Validation samples that the float model was asked for this. */
  readonly asked: number;
  /** Samples that there are. */
  readonly validation: number;
  readonly test: number;
  /** One sample on an emulated GPU itself, which is asked only whether it agrees. */
  readonly paritySampleMs: number;
}

/** Fewer test samples say too little of what comes after one that failed on them. */
export const fewestAfter = 50;
/** Of the float model, which is known to hold, even where the time is up. */
export const fewestOfFloat = 16;
/** And no more of them than this takes. */
export const lateMs = 5000;

/** Samples that two engines are asked whether they agree on. */
export const agreementSamples = 16;
/** Agreement where it alone decides, on inputs that are made up: those after a few that run long tell nothing else. */
export const decidesAlone = { maxMs: 2000, atLeast: 4 };

/** How many samples are looked at. Fixed before they are. */
export interface Counts {
  readonly validation: number;
  readonly test: number;
}

/** And what an earlier run of the same search came to. */
export interface KnownCounts extends Counts {
  /** On how many test samples it looked in the end. */
  readonly tested?: number;
  /** What runs took, of the whole command, that were interrupted. */
  readonly spentMs?: number;
}

/** Such a run says a lot: a few do. */
const longMs = 100;

/** As long as it takes to see a difference that matters, and no longer: most comparisons are decided well before. */
export function screeningLimits(runMs: number): LatencyLimits {
  return {
    warmUpMs: clamp(10 * runMs, 200, 600),
    blocks: runMs > longMs ? 3 : 6,
    maxBlocks: 24,
    maxMs: clamp(12 * runMs, 600, 4000),
  };
}

/** Of the numbers that are published. */
export function publishedLimits(runMs: number): LatencyLimits {
  return { ...finalLimits(runMs), untilPrecise: true };
}

/** Of finalists against each other. */
export function finalLimits(runMs: number): LatencyLimits {
  return {
    warmUpMs: clamp(10 * runMs, 300, 1500),
    blocks: runMs > longMs ? 5 : 15,
    maxBlocks: 100,
    maxMs: clamp(30 * runMs, 2500, 15_000),
  };
}

/** Passes over weights: rounding, packing, writing. Milliseconds a megabyte of float weights. */
const makeMsPerMegabyte = 12;
const makeLeastMs = 40;
/** Times that are published are of two files that differ: they settle sooner than finalists'. */
const publishingShare = 0.6;
/** Compressing for the size of a download, a megabyte of a small file and of a large one, where less is tried. */
const sizeMsPerMegabyte = { small: 1000, large: 60 };
const smallBytes = 2 * 2 ** 20;
/** Of a float model's bytes, what a candidate has. */
const candidateBytes = 0.35;

/** WebAssembly is compiled twice while it runs, and settles later than what was compiled before. */
const settling: Partial<Record<TargetName, number>> = { cpu: 0.65, wasm: 0.8 };

/** Of the time that a comparison may take: where short runs are many, and where a browser's clock makes long units of them. */
const usualShare = { least: 0.2, aMillisecond: 0.4, most: 0.9 };

/**
 * A comparison usually takes less than it may: short runs are many, and warm up and settle soon. Of long ones, as few as
 * there may be.
 */
function timingMs(
  { target, runMs }: TargetFacts,
  { warmUpMs, maxMs, blocks }: LatencyLimits,
): number {
  const warm = Math.min(warmUpMs, 150 + 20 * runMs);
  const { least: leastShare, aMillisecond, most } = usualShare;
  const share = target === "cpu" ? Math.min(most, leastShare + aMillisecond * runMs) : most;
  const usual = warm + maxMs * share;
  const least = 2 * (1 + blocks) * runMs;
  return Math.max((settling[target] ?? 1) * usual, runMs > longMs ? least : 0);
}

/** Of samples that may be looked at, how many usually are: the answer is often known after some two hundred. */
function usuallyLooked(count: number, decidesEarly: boolean): number {
  return decidesEarly ? Math.min(count, 100 + 0.3 * Math.max(0, count - 100)) : count;
}

/** What comes with every run but the run: a candidate pays it as the float model does. */
function overheadMs({ sampleMs, runMs }: TargetFacts): number {
  return Math.max(0, sampleMs - runMs);
}

export function candidateSampleMs(facts: TargetFacts, latency: number): number {
  return overheadMs(facts) + facts.runMs * latency;
}

/** One sample of the float model, shared. */
export function sharedMs({ sampleMs, shared }: TargetFacts): number {
  return sampleMs / shared;
}

/** Of candidates that may be answered for elsewhere, so many say the same there. */
const sameShare = 0.8;

/** One validation sample of a candidate. What answers elsewhere takes about what the float model takes there. */
export function validationSampleMs(facts: TargetFacts, latency: number): number {
  const own = candidateSampleMs(facts, latency) / facts.shared;
  return isAnsweredElsewhere(facts) ? sameShare * facts.answerMs + (1 - sameShare) * own : own;
}

function isAnsweredElsewhere(facts: TargetFacts): boolean {
  return facts.answerMs < sharedMs(facts);
}

/** Finding out whether another engine says the same: it is loaded there, and both run a few samples. */
function comparingMs(facts: TargetFacts, latency: number): number {
  if (!isAnsweredElsewhere(facts)) return 0;
  return facts.loadMs + 2 * (candidateSampleMs(facts, latency) + facts.answerMs);
}

export interface CandidateCost {
  readonly makeMs: number;
  readonly screenMs: number;
  /** Beside the decision where there is one. */
  readonly sizeMs: number;
  readonly decideMs: number;
}

/** A run whose activations are looked at; more where they are large next to what is computed. */
export function calibrationMs(runMs: number): number {
  return 2.2 * runMs;
}

export function costOf(
  facts: TargetFacts,
  counts: Counts,
  gain: Pick<Gain, "latency">,
): CandidateCost {
  const { bytes, loadMs, runMs, timed, decidesEarly } = facts;
  const makeMs = makeLeastMs + (bytes / 1e6) * makeMsPerMegabyte;
  const screenMs =
    loadMs + 5 * runMs * gain.latency + (timed ? timingMs(facts, screeningLimits(runMs)) : 0);
  const looked = usuallyLooked(counts.validation, decidesEarly);
  return {
    makeMs,
    screenMs,
    sizeMs: sizeMs(bytes * candidateBytes),
    decideMs: comparingMs(facts, gain.latency) + looked * validationSampleMs(facts, gain.latency),
  };
}

function sizeMs(bytes: number): number {
  const { small, large } = sizeMsPerMegabyte;
  return (bytes / 1e6) * (bytes <= smallBytes ? small : large);
}

/** What a candidate is expected to take: many are turned down before they are decided. */
export function expectedMs(
  { makeMs, screenMs, sizeMs, decideMs }: CandidateCost,
  decided: number,
): number {
  return makeMs + screenMs + decided * Math.max(sizeMs, decideMs) + (1 - decided) * sizeMs;
}

/** Samples that tell how sensitive a layer is. */
export const sensitivitySamples = 8;

/** How many groups of layers have to be tried, about, until the few most sensitive ones are found. */
export function sensitivityTrials(layers: number): number {
  const all = 2 * Math.max(0, layers - 1);
  return Math.min(all, 3 * Math.ceil(Math.log2(Math.max(2, layers))) + 4);
}

/** Finding the layers that a static file suffers from: a load and a few runs for each group that is tried. */
export function sensitivityMs(
  layers: number,
  { loadMs, runMs }: Pick<TargetFacts, "loadMs" | "runMs">,
): number {
  return sensitivityTrials(layers) * (loadMs + 60 + sensitivitySamples * runMs);
}

/** Of one target, after the search: finalists, published times, start-up. The test samples are apart. */
export function finalsMs(facts: TargetFacts): number {
  const { loadMs, timed, paritySampleMs } = facts;
  return timed ? finalistsMs(facts) + publishMs(facts) : loadMs + agreementSamples * paritySampleMs;
}

/** Finalists against each other, where there are any besides the float model. */
export function finalistsMs(facts: TargetFacts): number {
  return facts.timed ? timingMs(facts, finalLimits(facts.runMs)) : 0;
}

/** Times that are published, and two starts: of what was chosen, and of the float model. */
export function publishMs(facts: TargetFacts): number {
  const { runMs, loadMs, timed, startMs } = facts;
  if (!timed) return 0;
  return publishingShare * timingMs(facts, finalLimits(runMs)) + 2 * (startMs + loadMs + runMs);
}

/** Of the float model's time, what is chosen usually takes. */
export const usualLatency = 0.9;

/** What is best on a target now, next to the float model; no latency before something was accepted. */
export interface InHand {
  readonly latency?: number | undefined;
  /** Whether an earlier run kept what they say of the test samples. */
  readonly floatIsKnown: boolean;
  readonly bestIsKnown: boolean;
}

/** The float model and what was chosen, on the test samples. Targets are tested side by side: those that share samples share processors. */
export function testMs(
  facts: readonly TargetFacts[],
  counts: ReadonlyMap<TargetName, Counts>,
  inHand: (target: TargetName) => InHand | undefined = () => undefined,
): number {
  const each = facts.map((one) => {
    const samples = counts.get(one.target)?.test ?? 0;
    const known: InHand = inHand(one.target) ?? noneKnown;
    const { latency = usualLatency, floatIsKnown, bestIsKnown } = known;
    const floatMs = floatIsKnown ? 0 : one.sampleMs;
    const ownMs = bestIsKnown ? 0 : candidateSampleMs(one, latency);
    const ms = (samples * (floatMs + ownMs)) / one.shared + agreementMs(one, samples);
    return { shared: one.shared, ms };
  });
  const sharing = each.reduce((sum, { shared, ms }) => sum + (shared > 1 ? ms : 0), 0);
  return Math.max(sharing, ...each.map(({ ms }) => ms));
}

/** Where there are no samples: both engines, until that was long enough. */
function agreementMs({ timed, runMs }: TargetFacts, samples: number): number {
  if (!timed || samples > 0) return 0;
  const { atLeast, maxMs } = decidesAlone;
  const eachMs = 2 * runMs;
  return Math.max(atLeast * eachMs, Math.min(maxMs, agreementSamples * eachMs));
}

/** What an earlier run kept of the test samples, where it kept nothing. */
export const noneKnown = { floatIsKnown: false, bestIsKnown: false } as const;

export function testSampleMs(facts: TargetFacts, latency = usualLatency): number {
  return (facts.sampleMs + candidateSampleMs(facts, latency)) / facts.shared;
}

/** Golden check, worst disagreements (of samples that there are), files, reports. */
export function writeMs(facts: readonly TargetFacts[]): number {
  return facts.reduce((sum, { loadMs, runMs, bytes, test }) => {
    const runs = test > 0 ? 18 : 4;
    return sum + loadMs + runs * runMs + bytes / 2e5;
  }, 300);
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
