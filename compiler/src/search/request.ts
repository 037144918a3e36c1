import type {
  Artifact,
  Evidence,
  Executor,
  FileHash,
  Golden,
  Measure,
  Measurement,
  NodeSensitivity,
  NodeWhy,
  Precision,
  ReportCandidate,
  ReportStep,
  SearchTime,
  StepShare,
  TargetName,
} from "@pare/runtime/format";
import type { Fingerprints } from "../analysis/fingerprints.js";
import type { Graph } from "../ir/index.js";
import type { Activations } from "../pipeline/activations.js";
import type { Examples } from "../pipeline/examples.js";
import type { Recipe } from "../pipeline/recipe.js";
import type { Kept } from "../pipeline/services.js";
import type { StepGroup } from "../pipeline/step.js";
import type { Sizes } from "../targets/sizes.js";
import type { Lock } from "./lock.js";

/** What a user is told before it is done. */
export interface PlanSummary {
  readonly lowMs: number;
  readonly highMs: number;
  readonly expectedMs: number;
  /** What the cheapest sound plan takes, of the whole command. */
  readonly leastMs: number;
  /** What may be taken; more than the default where the cheapest sound plan takes longer. */
  readonly budgetMs: number;
  /** The cheapest sound plan does not fit into what the user gave. */
  readonly tooShort: boolean;
  readonly targets: readonly {
    readonly target: TargetName;
    readonly candidates: number;
    readonly validation: number;
    readonly test: number;
    readonly ofTest: number;
  }[];
}

/** A place to run that the caller found on this machine. */
export interface TargetDevice {
  readonly target: TargetName;
  /** Engine and version. */
  readonly engine: string;
  /**
   * On a software GPU nothing is timed, and another target's engine answers for a file's accuracy: that target. Null
   * where the device itself is measured.
   */
  readonly standIn: TargetName | null;
  readonly features: readonly string[];
  readonly executor: Executor;
  /** Its integer products saturate: what that is worth is known of such processors. */
  readonly saturates: boolean;
}

/** What a file may cost on a target; what is absent is not limited. */
export interface Limits {
  /** In the metric's own unit. */
  readonly maxDrop: number;
  readonly maxSizeBytes?: number | undefined;
  readonly maxLatencyMs?: number | undefined;
}

export interface Budget {
  readonly limits: (target: TargetName) => Limits;
  readonly prefer: "latency" | "size";
  /** Of the whole command, its bundle written. Null: two minutes, or what the cheapest sound plan takes. */
  readonly timeBudgetMs: number | null;
}

/** Milliseconds since the command began. Belongs to the search alone: no pass sees it. */
export interface Clock {
  now(): number;
}

export interface SearchProgress {
  /** Of the time that the whole is estimated to take; it never falls. */
  readonly fraction: number;
  /** When the whole is expected to end, on the request's clock; Infinity before that is known. */
  readonly endMs: number;
  readonly what: string;
  /** What is best so far, in a few words; null before anything is. */
  readonly best: string | null;
}

export interface OptimizeRequest {
  /** The model as it was read, with shapes bound but not yet normalized. */
  readonly graph: Graph;
  /** The file that drops and ratios are against: the model as its user has it. */
  readonly original: Artifact;
  readonly originalSha256: string;
  readonly recipe: Recipe;
  readonly devices: readonly TargetDevice[];
  /** What their answers are held against: themselves where not given, and engines that were opened for that alone. */
  readonly answering?: readonly TargetDevice[];
  readonly evidence: Evidence;
  /** Absent without data. */
  readonly activations?: Activations;
  /** Those that `activations` names by, so that each graph is fingerprinted once. */
  readonly fingerprints?: Fingerprints;
  /** Absent without data. */
  readonly examples?: Examples;
  /** Absent where the data declares no split to train on. */
  readonly training?: Examples | undefined;
  /**
   * What layers do to the outputs, how many samples are looked at and what was learned, from earlier runs: engine, processor and samples
   * make up the setting.
   */
  readonly kept?: Kept;
  readonly measure: Measure;
  /** What was decided for an earlier state of the model: tried first. */
  readonly like?: Lock;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly seed: number;
  /** sha256 over each split's ids and content, for the lock. */
  readonly splits: Readonly<Record<string, string>>;
  readonly shapes: Lock["shapes"];
  readonly constants: Lock["constants"];
  /** What free dims were fixed to, by their names: it is kept in the lock, and the graph has it. */
  readonly dims?: Lock["dims"] | undefined;
  /** What free dims come to, where that is more than one size; targets that fix sizes have a file with an entry each. */
  readonly sizes?: Sizes | undefined;
  readonly compiler: string;
  readonly signal?: AbortSignal;
  /** Told once what will be done, before it is. */
  readonly onPlan?: (plan: PlanSummary) => void;
  readonly onProgress?: (progress: SearchProgress) => void;
  /**
   * Called with all that is complete when something better is: what a bundle is made of at once. What is better soon after
   * is held back for some times as long as it took, and at most until the finalists are compared.
   */
  readonly onImproved?: (done: Optimized) => Promise<void>;
}

export interface OptimizedVariant {
  readonly target: TargetName;
  readonly name: string;
  readonly precision: Precision;
  readonly evidence: Evidence;
  readonly artifact: Artifact;
  /** What its drop is against, on the same target: the model as its user has it, or what stands for it there. */
  readonly reference: Artifact;
  /** What that says, for an engine that does not load it. */
  readonly referenceGraph: Graph;
  /** Of the artifact's files, in order. */
  readonly files: readonly FileHash[];
  readonly graph: Graph;
  readonly groups: readonly StepGroup[];
  /** What each step of them did. */
  readonly shares: readonly StepShare[];
  /** Accuracy on the test samples; null while they were not looked at. */
  readonly measurement: Measurement;
  readonly baseline: Measurement | null;
}

export interface Optimized {
  readonly variants: readonly OptimizedVariant[];
  readonly steps: readonly ReportStep[];
  readonly candidates: readonly ReportCandidate[];
  readonly why: readonly NodeWhy[];
  readonly sensitivity: readonly NodeSensitivity[];
  readonly skipped: readonly { readonly target: TargetName; readonly reason: string }[];
  /** Budgets that the user gave and that no candidate met. */
  readonly missed: readonly string[];
  /** How many test samples were looked at, by target; fewer than there are where the time would not do. */
  readonly tested: Readonly<Partial<Record<TargetName, number>>>;
  /** Null where a lock was replayed. */
  readonly time: SearchTime | null;
  /** Without its golden check, which is recorded when the bundle is made. */
  readonly lock: Lock;
  /** From the lock that was replayed: nothing has to be recorded anew. */
  readonly golden: Golden | null;
}

/** Unique within a bundle: one variant per target. */
export function variantId(variant: Pick<OptimizedVariant, "target" | "name">): string {
  return `${variant.target}-${variant.name}`;
}
