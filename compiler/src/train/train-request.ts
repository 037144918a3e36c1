import type { Executor } from "@pare/runtime/format";
import type { Graph, NodeId, ValueId } from "../ir/index.js";
import type { TrainingEngine } from "../ops/index.js";
import type { TrainingIdentity } from "./checkpoint.js";
import type { Objective } from "./objectives.js";
import type { OptimizerOptions } from "./optimizer/optimizer.js";
import type { Schedule } from "./optimizer/schedule.js";
import type { LearnedConstant } from "./parameters.js";
import type { Samples } from "./samples.js";
import type { TeacherSource } from "./teacher.js";
import type { EpochFacts, LearnedArray } from "./training-state.js";

export interface TrainOptions {
  readonly epochs: number;
  /** Samples of one step; the last ones of an epoch that do not fill a batch wait for the next shuffle. */
  readonly batch: number;
  /** The highest of the schedule. */
  readonly rate: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: Schedule;
  /** All gradients together are brought down to this norm; 0: they are not. */
  readonly clip: number;
  /** Decay of the moving average of weights, which is what is kept; 0: the last weights are. */
  readonly average: number;
  readonly norms: "batch" | "frozen";
  readonly dropout: "apply" | "skip";
  /** Gradient checkpointing: few values of a step are kept and the others computed again. */
  readonly recompute: boolean;
  /** Weights that are 0 before the first step are so after the last. */
  readonly keepZeros: boolean;
  /** Shares of a batch that are computed at the same time: `executor` and those beside it. */
  readonly workers: number;
}

/** How far a training is. What time that takes is the caller's to tell: there is no clock here. */
export interface TrainingProgress {
  /** Share of the whole that is done. */
  readonly done: number;
  /** Of the epoch that is under way, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** That were learned from since this call began. */
  readonly samples: number;
  /** That are left. */
  readonly samplesLeft: number;
  /** Of the last batch; after an epoch, its mean. */
  readonly loss: number;
  /** Of this epoch up to now, after one its own; null without classes. */
  readonly accuracy: number | null;
  readonly history: readonly EpochFacts[];
}

export interface TrainRequest {
  /** In normal form; it stays as it is. */
  readonly model: Graph;
  readonly samples: Samples;
  /** Looked at after each epoch, where they have classes. */
  readonly validation: Samples | null;
  readonly objectives: readonly Objective[];
  readonly learned: readonly LearnedConstant[];
  readonly trained: readonly LearnedConstant[];
  /** Nodes of the model that round, through which gradients pass all the same; none where not given. */
  readonly straightThrough?: ReadonlySet<NodeId> | undefined;
  /** Samples of one run of the model, where it does not take as many as a batch has. */
  readonly perRun?: number | undefined;
  readonly teacher: TeacherSource | null;
  readonly executor: Executor;
  /** Engines that compute shares of each batch at the same time as it; none where not given. */
  readonly beside?: readonly Executor[] | undefined;
  readonly engine: TrainingEngine;
  readonly options: TrainOptions;
  /** Uniform numbers in [0, 1) by name. */
  readonly random: (name: string) => () => number;
  /** What trains, for messages. */
  readonly where: string;
  readonly signal?: AbortSignal | undefined;
  /** Awaited before the first run: all that can be told without one has been checked by then. */
  readonly onReady?: (() => Promise<void>) | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** Share of the samples that the teacher has answered, before the first step. */
  readonly onTeacher?: ((fraction: number) => void) | undefined;
  readonly onNote?: ((note: string) => void) | undefined;
  /** Of each step, before the weights change by it. The arrays are written over by the next. */
  readonly onGradients?: ((gradients: LossGradients) => Promise<void>) | undefined;
  /** A checkpoint to go on from. */
  readonly resume?: Uint8Array | undefined;
  /** Asked after each step whether a checkpoint is due there too; what time that takes is the caller's to tell. */
  readonly checkpointDue?: (() => boolean) | undefined;
  /**
   * After each epoch, where one is due, and when the signal is raised or an engine fails after a step; never with numbers
   * that are not finite.
   */
  readonly onCheckpoint?: ((bytes: Uint8Array) => void | Promise<void>) | undefined;
  readonly identity?: TrainingIdentity | undefined;
}

/** Of the loss of a batch, by the constants that are trained. */
export type LossGradients = ReadonlyMap<ValueId, Float32Array>;

export interface Trained {
  readonly learnedFrom: readonly ("labels" | "teacher")[];
  readonly samples: number;
  readonly learned: readonly LearnedArray[];
  readonly history: readonly EpochFacts[];
  readonly steps: number;
  /** Smaller than was asked for where memory or samples would not do. */
  readonly batch: number;
}
