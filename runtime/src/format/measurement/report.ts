import type { TargetName } from "../engine/backend.js";
import type { StepShare } from "./account.js";
import type { SplitName } from "./measure.js";
import type {
  Accuracy,
  Evidence,
  Latency,
  Measurement,
  Parity,
  SizeBytes,
  Unmeasured,
} from "./measurement.js";

export const reportFormatVersion = 1;

/** One model on one target, as the report shows it. */
export interface ReportRow {
  readonly name: string;
  readonly target: TargetName;
  readonly engine: string;
  readonly evidence: Evidence;
  readonly sizeBytes: SizeBytes;
  readonly parameters: number;
  readonly macs: number | null;
  readonly accuracy: Accuracy | null;
  readonly parity: Parity | null;
  readonly latencyMs: Latency | Unmeasured;
  readonly memoryBytes: number | null;
  readonly startupMs: number | null;
}

/** A step of a recipe on one target: what it changed, what it gained or cost, and whether it stayed. */
export interface ReportStep {
  readonly target: TargetName;
  readonly name: string;
  readonly verdict: "kept" | "reverted";
  readonly reason: string;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly measurement: Measurement | null;
  /** The passes that were done as one. */
  readonly group?: readonly string[];
  /** What each of them did, in order; absent where nothing was made. */
  readonly shares?: readonly StepShare[];
  /** How far it was looked at: not at all, by a few blocks of its time, or to the end. */
  readonly tried?: "not" | "screened" | "decided";
  readonly expectedGain?: ExpectedGain | null;
}

/** Before it was tried, as ratios to the float model; null where nothing was known. */
export interface ExpectedGain {
  readonly latency: number;
  readonly size: number;
}

export interface ReportCandidate {
  readonly target: TargetName;
  readonly name: string;
  readonly verdict: "chosen" | "rejected";
  readonly reason: string;
  readonly precision: string;
  /** Of what was chosen as it was published, on the test samples; of the others as the search saw them, on the validation samples. */
  readonly measurement: Measurement | null;
  /** Of what was chosen, as the search saw it: what the others' measurements can be held against. */
  readonly searched?: Measurement | null;
  /** How far it was looked at: not at all, by a few blocks of its time, or to the end. */
  readonly tried?: "not" | "screened" | "decided";
  readonly expectedGain?: ExpectedGain | null;
}

/** What was done to one node on one target, by which rule, or why it was left alone. */
export interface NodeWhy {
  readonly target: TargetName;
  readonly node: string;
  readonly op: string;
  readonly what: "changed" | "left";
  readonly rule: string;
  readonly reason: string;
}

/** One sample on which a variant and the float model disagree most, for showing side by side. */
export interface Disagreement {
  readonly target: TargetName;
  readonly variant: string;
  readonly sample: string;
  readonly label: string | null;
  readonly float: string;
  readonly candidate: string;
  /** Where an input looks like an image: a small PNG as a data URL. */
  readonly thumbnail: string | null;
}

/** Whether a budget or gate held. `inconclusive` passes: what could not be decided is not held against a model. */
export interface ReportCheck {
  readonly target: TargetName;
  /** The variant or candidate. */
  readonly name: string;
  /** `recipe`: what it requires is in it. */
  readonly what: "loads" | "recipe" | "accuracy" | "agreement" | "latency" | "size" | "parity";
  readonly outcome: "passed" | "missed" | "inconclusive";
  /** The measured figure, its bound and its interval, as one sentence. */
  readonly reason: string;
}

/** What quantizing one node alone costs. */
export interface NodeSensitivity {
  readonly target: TargetName;
  readonly node: string;
  readonly op: string;
  /** Signal over quantization noise at the outputs, in dB: lower is more sensitive. */
  readonly sqnrDb: number;
}

/** How long a search was expected to take and took, in milliseconds since the command began. */
export interface SearchTime {
  readonly budgetMs: number;
  readonly expectedMs: number;
  /** The range that was said before it began. */
  readonly rangeMs: readonly [low: number, high: number];
  /** When the report was written. */
  readonly tookMs: number;
  /** Each time something better was in hand, written to the bundle's folder. */
  readonly improvements: readonly {
    readonly target: TargetName;
    readonly name: string;
    readonly atMs: number;
  }[];
}

/** Which samples are in one split. */
export interface ReportSplit {
  /** Over the ids, inputs, labels and further fields of its samples, in order: the same as in the lock. */
  readonly sha256: string;
  /** In the order of the data; null where all splits together have more than 10,000. */
  readonly ids: readonly string[] | null;
}

export interface ReportSplits extends Readonly<Record<SplitName, ReportSplit>> {
  /** Absent where the data has none for training alone. */
  readonly training?: ReportSplit;
  /** How samples came to be in them, as a sentence: with the seed and the shares, or that the data says so. */
  readonly rule: string;
}

export interface Report {
  readonly formatVersion: number;
  readonly model: string;
  readonly command: string;
  readonly createdAt: string;
  /** What the figures rest on: system, processor with its instruction sets where they are known, engines and versions. */
  readonly environment: Readonly<Record<string, string>>;
  /** Shapes that were measured, by input. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly data: {
    readonly source: string | null;
    readonly calibration: number;
    readonly validation: number;
    readonly test: number;
    readonly seed: number;
    readonly caveat: string | null;
    /** Absent without data. */
    readonly splits?: ReportSplits;
  };
  readonly float: ReportRow | null;
  readonly variants: readonly (ReportRow & {
    readonly precision: string;
    readonly file: string;
    readonly baseline: ReportRow | null;
    /** Of a file that other processors may treat otherwise, or that settles what the model leaves open: in what way. */
    readonly restsOn?: string;
    /** What each step did on the way to the file, in order; none where it is the model as it was. */
    readonly shares?: readonly StepShare[];
  })[];
  readonly steps: readonly ReportStep[];
  readonly candidates: readonly ReportCandidate[];
  readonly skipped: readonly { readonly target: TargetName; readonly reason: string }[];
  readonly why: readonly NodeWhy[];
  readonly disagreements: readonly Disagreement[];
  readonly checks?: readonly ReportCheck[];
  readonly sensitivity?: readonly NodeSensitivity[];
  /** Absent where nothing was searched for. */
  readonly time?: SearchTime;
  /** The cheapest next step, one sentence. */
  readonly nextStep: string | null;
}
