import type { DistillOptions, EpochFacts, TrainingProgress } from "@pare/compiler";
import type { StoredAt } from "../../data/sample-writer.js";

/** What a process is to train. */
export interface TrainingJob {
  /** ONNX files; the student in normal form. */
  readonly student: Uint8Array;
  readonly teacher: Uint8Array | null;
  readonly options: DistillOptions;
  readonly seed: number;
  readonly threads: number;
  /** Where samples lie: they are read from disk. */
  readonly training: readonly StoredAt[];
  readonly validation: readonly StoredAt[];
  /** A checkpoint to go on from. */
  readonly resume: Uint8Array | null;
}

export type TrainingRequest =
  | {
      readonly kind: "train";
      readonly job: TrainingJob;
      /** The file that checkpoints are handed over in. */
      readonly handover: string;
    }
  /** The answer to `ready`. */
  | { readonly kind: "begin" }
  | { readonly kind: "stop" };

/** What comes back: news, and in the end one of the last two. */
export type TrainingMessage =
  /** All is checked that can be without a step, and it waits to be told to begin. */
  | { readonly kind: "ready" }
  | { readonly kind: "teacher"; readonly fraction: number }
  | { readonly kind: "progress"; readonly progress: TrainingProgress }
  | { readonly kind: "note"; readonly note: string }
  /**
   * It is in the file that was named. Between processes a pipe takes some hundred kilobytes at each turn of the event loop,
   * and whoever trains turns once a step: a hundred megabytes took a minute, and all that came behind them waited.
   */
  | { readonly kind: "checkpoint" }
  /** It has heard that it is to stop, and the last checkpoint comes next: a large one takes a while. */
  | { readonly kind: "stopping" }
  | {
      readonly kind: "trained";
      /** The student as an ONNX file. */
      readonly student: Uint8Array;
      readonly engine: string;
      readonly history: readonly EpochFacts[];
      readonly steps: number;
      readonly batch: number;
    }
  | {
      readonly kind: "failed";
      readonly code: string;
      readonly message: string;
      readonly where: string | null;
      readonly hint: string | null;
    };

export type TrainedStudent = Extract<TrainingMessage, { kind: "trained" }>;
