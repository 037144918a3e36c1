import type { TargetName } from "../engine/backend.js";

/** A value with its two-sided 95 % interval. */
export type Interval = readonly [low: number, high: number];

export type Evidence = "labelled" | "unlabelled" | "synthetic" | "none";

export interface SizeBytes {
  readonly raw: number;
  readonly gzip: number;
  readonly brotli: number;
}

/** Samples on which a candidate and the float model disagree, of `n`. */
export interface Flips {
  readonly count: number;
  readonly n: number;
  readonly interval: Interval;
  /** Which samples, by id, worst first; at most 200. */
  readonly samples: readonly string[];
}

export interface Accuracy {
  /** The metric's name: `top1`, `auc`, `cosine`, a data module's own. */
  readonly metric: string;
  readonly direction: "higher" | "lower";
  readonly value: number;
  readonly interval: Interval;
  readonly n: number;
  /** How much worse than the float model on the same samples, in the metric's own unit; negative is better. Null for the float model. */
  readonly drop: number | null;
  readonly dropInterval: Interval | null;
  /** Null for the float model, and where predictions have no notion of it: `noFlips` says why. */
  readonly flips: Flips | null;
  readonly noFlips?: string;
  /** The target on whose engine this was measured; "cpu" for a webgpu variant on a software GPU. */
  readonly measuredOn: TargetName;
}

/** Agreement with the CPU engine (or, there, with the float model's own file) on real or generated inputs. */
export interface Parity {
  readonly n: number;
  /**
   * Of the worst output its largest difference over its largest value, of all samples. Infinity, which is null in JSON, where
   * one answer is NaN or infinite, or has dims, and the other has not.
   */
  readonly maxError: number;
  readonly flips: number;
}

export interface Latency {
  readonly p50: number;
  /** Null, as is p99, where a run is too short for the clock and only means of several were timed. */
  readonly p90: number | null;
  /** Null too with fewer runs than a claim about the tail takes. */
  readonly p99: number | null;
  /** Times: of runs, or of means of several. */
  readonly n: number;
  /** How it was timed: threads, blocks, the shape. */
  readonly method: string;
  /** Median over the baseline's median in the same interleaved run; below 1 is faster. Null for the baseline itself. */
  readonly ratio: number | null;
  /** 99 % interval of the ratio, over blocks. */
  readonly ratioInterval: Interval | null;
  /** The baseline's median in the same run: what this one's is to be held against, on a machine whose speed varies. */
  readonly baselineP50?: number;
}

/** Something that was not measured, and why. */
export interface Unmeasured {
  readonly unmeasured: string;
}

/** What was measured of one file on one target. Units are in the names. */
export interface Measurement {
  readonly target: TargetName;
  /** Engine and version: `onnxruntime-web 1.30.0 (Chromium 156)`. */
  readonly engine: string;
  readonly sizeBytes: SizeBytes;
  readonly accuracy: Accuracy | null;
  readonly parity: Parity | null;
  readonly latencyMs: Latency | Unmeasured;
  /** Peak memory of the engine's process or heap while the model was loaded and run. */
  readonly memoryBytes: number | null;
  /** From bytes to the first answer. */
  readonly startupMs: number | null;
}
