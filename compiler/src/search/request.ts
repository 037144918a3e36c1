import type {
  Evidence,
  Executor,
  Measure,
  Measurement,
  NodeSensitivity,
  NodeWhy,
  Precision,
  ReportCandidate,
  ReportStep,
  TargetName,
} from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Calibration } from "../pipeline/pass.js";
import type { Recipe, Step } from "../pipeline/recipe.js";
import type { Lock } from "./lock.js";

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
}

export interface Budget {
  /** In the metric's own unit. */
  readonly maxDrop: number;
  readonly maxSizeBytes?: number;
  readonly maxLatencyMs?: number;
  readonly prefer: "latency" | "size";
  readonly timeBudgetMs: number;
}

export interface OptimizeRequest {
  /** The model as it was read, with shapes bound but not yet normalized. */
  readonly graph: Graph;
  /** The file that drops and ratios are against: the model as its user has it. */
  readonly original: Uint8Array;
  readonly originalSha256: string;
  readonly recipe: Recipe;
  readonly devices: readonly TargetDevice[];
  readonly evidence: Evidence;
  /** Absent without data. */
  readonly calibration?: Calibration;
  readonly measure: Measure;
  readonly budget: Budget;
  readonly seed: number;
  /** sha256 over each split's ids, for the lock. */
  readonly splits: Readonly<Record<string, string>>;
  readonly shapes: Lock["shapes"];
  readonly constants: Lock["constants"];
  /** Replay these decisions and time nothing. */
  readonly frozen?: Lock;
  readonly compiler: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, what: string) => void;
  /** Called with all that is complete so far, each time a target is done: what Ctrl-C leaves behind. */
  readonly onTarget?: (done: Optimized) => Promise<void>;
}

export interface OptimizedVariant {
  readonly target: TargetName;
  readonly name: string;
  readonly precision: Precision;
  readonly evidence: Evidence;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly graph: Graph;
  readonly steps: readonly Step[];
  readonly session: Readonly<Record<string, unknown>>;
  readonly features: readonly string[];
  /** Accuracy on the test samples, latency from the search. */
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
  readonly lock: Lock;
}

/** Unique within a bundle: one variant per target. */
export function variantId(variant: Pick<OptimizedVariant, "target" | "name">): string {
  return `${variant.target}-${variant.name}`;
}
