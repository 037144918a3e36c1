import type { Artifact } from "../engine/artifact.js";
import type { TargetName } from "../engine/backend.js";
import type { Tensors } from "../tensor/tensor.js";
import type { Accuracy, Interval, Latency, Parity, SizeBytes } from "./measurement.js";

export type SplitName = "calibration" | "validation" | "test";

/** One file on one target's engine. */
export interface Measured {
  readonly artifact: Artifact;
  readonly target: TargetName;
  readonly signal?: AbortSignal | undefined;
  /** An engine that takes longer than this for one answer is ended: ENGINE_CRASHED. Endless where not given. */
  readonly limitMs?: number | undefined;
}

export interface TryOut {
  /** From bytes to a session. */
  readonly loadMs: number;
  /** The quickest of a few runs on one sample. */
  readonly runMs: number;
}

export interface AccuracyRequest extends Measured {
  /** The float model, for the drop and the flips. Absent: this is it. */
  readonly float?: Artifact | undefined;
  /** Whose engine answers for the float model; the candidate's own where not given. */
  readonly floatOn?: TargetName | undefined;
  readonly split: SplitName;
  /** The first so many of the split in an order drawn from the seed: a larger count holds the smaller ones. */
  readonly count: number;
  /** Of the drop's interval, two-sided; 0.95 where not given. */
  readonly confidence?: number | undefined;
}

export interface ParityRequest extends Measured {
  /** What it must agree with: another engine's answers, or a function's. */
  readonly reference:
    | { readonly artifact: Artifact; readonly target: TargetName }
    | {
        readonly evaluate: (feeds: Tensors) => Promise<Tensors>;
        /** Of what it says of a file; without one, that is not kept for later runs. */
        readonly name?: string;
      };
  readonly split: SplitName;
  /** At most so many samples; at least one is compared. */
  readonly count: number;
  /** Stops after the sample in which so much time has passed, and not before `atLeast` of them. */
  readonly maxMs?: number | undefined;
  /** 1 where not given. */
  readonly atLeast?: number | undefined;
}

/** How long to time. */
export interface LatencyLimits {
  readonly warmUpMs: number;
  /** Blocks that are always timed, unless they take `maxMs`. */
  readonly blocks: number;
  /** Blocks at which a comparison that is still open stays undecided. */
  readonly maxBlocks: number;
  readonly maxMs: number;
  /**
   * Whether it is enough to know how times compare to within ±2 %, on whichever side of that they are: for numbers that are
   * published, and choose nothing. Else it goes on while it is open whether the fastest is faster by 2 %.
   */
  readonly untilPrecise?: boolean;
}

export interface LatencyRequest {
  /** Timed in turns, in the same blocks; the ratios of `Latency` are to the first, which has none. */
  readonly artifacts: readonly [Artifact, ...Artifact[]];
  readonly target: TargetName;
  readonly limits: LatencyLimits;
  /** Draws the order within blocks. */
  readonly seed: number;
  /** It only orders what is tried: what an earlier run measured will do. */
  readonly screening?: boolean | undefined;
  /** Its times are told, and not only what they are to each other: none is of an earlier run that was interrupted. */
  readonly published?: boolean | undefined;
  /** In sessions made anew: where memory happens to lie can cost two per cent. */
  readonly fresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly limitMs?: number | undefined;
}

export interface LatencyRatio {
  readonly ratio: number;
  /** 99 %. */
  readonly interval: Interval;
}

export interface LatencyComparison {
  /** In the order of the request. */
  readonly latencies: readonly Latency[];
  /** `between[a][b]`: the time of b over that of a, from the same blocks. */
  readonly between: readonly (readonly LatencyRatio[])[];
}

/** From nothing to the first answer, in an engine started for it alone. */
export interface ColdStart {
  readonly startupMs: number;
  /** Peak of the engine's process or heap; null where it cannot be read. */
  readonly memoryBytes: number | null;
}

/**
 * Measures files on engines. Every method throws PareError ENGINE where the engine refuses a file, ENGINE_CRASHED where
 * it ends or does not answer, NO_MEMORY, and ABORTED. What was measured of a file is remembered: asking again is free.
 */
export interface Measure {
  size(artifact: Artifact): Promise<SizeBytes>;
  /** It loads and answers. */
  tryOut(request: Measured): Promise<TryOut>;
  /** Null where there is nothing to be accurate about: no data, or no sample in the split. */
  accuracy(request: AccuracyRequest): Promise<Accuracy | null>;
  /** Whether `accuracy` would run no sample: all that it asks for was said before, in this run or an earlier one. */
  knows(request: AccuracyRequest): Promise<boolean>;
  /** Null where no output can be compared. */
  parity(request: ParityRequest): Promise<Parity | null>;
  latency(request: LatencyRequest): Promise<LatencyComparison>;
  /** What an earlier run measured of the same files; null where there is none. It tells what need not be timed again. */
  earlierLatency(request: LatencyRequest): Promise<LatencyComparison | null>;
  coldStart(request: Measured): Promise<ColdStart>;
  /** What a sample of `accuracy` took when the first were run, all included, in this run or an earlier one; null before. */
  sampleMs(artifact: Artifact, target: TargetName): Promise<number | null>;
  /**
   * From now on several engines of the target share the samples of an accuracy, where that is quicker.
   * @returns how many times as quick; 1 where one engine goes on alone
   */
  shareSamples(request: Measured): Promise<number>;
  /** How many samples a split has. */
  samples(split: SplitName): number;
  /** The metric is a mean over samples: the drop on some of them says something of the drop on all. */
  readonly isMean: boolean;
}
