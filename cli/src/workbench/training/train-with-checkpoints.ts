import { checkpointPlace, distill, type DistillOptions } from "@pare/compiler";
import { isPareError, PareError } from "@pare/runtime/format";
import type { OpenData } from "../../data/open-data.js";
import type { StoredAt } from "../../data/sample-writer.js";
import type { WorkOutput } from "../../terminal/output.js";
import { existingCheckpoint } from "./existing-checkpoint.js";
import { whileExitWaits } from "../../platform/exit-waits.js";
import { LastCheckpoint } from "./last-checkpoint.js";
import { KilledError, trainInProcess } from "./train-in-process.js";
import type { TrainedStudent } from "./training-protocol.js";
import { TrainingReport } from "./training-report.js";

/** How a model is trained, as a verb's options say. */
export interface TrainingOptions {
  /** The pass's own where not given; so is what follows, up to alpha. */
  readonly epochs?: number;
  readonly batch?: number;
  readonly rate?: number;
  readonly temperature?: number;
  readonly alpha?: number;
  readonly labels?: string;
  /** The output that labels are of. */
  readonly labelsOf?: string;
  /** What is to become as the teacher's, as the pass takes it; the outputs where none is given. */
  readonly signals?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** Names of weights that stay. */
  readonly freeze?: readonly string[];
  /** Names of constants that no layer owns and are trained too. */
  readonly learn?: readonly string[];
  /** Off where not given; so is what follows. */
  readonly recompute?: boolean;
  readonly keepZeros?: boolean;
  readonly seed: number;
  /** One where not given. */
  readonly threads?: number;
  /** As many as pay where not given. */
  readonly workers?: number;
  /** Of the test; the one that fits where not given. */
  readonly metric?: string;
  /** Gone on from where it is there, and written after each epoch. */
  readonly checkpoint?: string;
}

/** What is trained, on what, and who is told. */
export interface Training {
  /** ONNX files; the student in normal form. */
  readonly student: Uint8Array;
  readonly teacher: Uint8Array | null;
  readonly data: OpenData;
  /** Into the samples. */
  readonly learnedFrom: readonly number[];
  readonly options: TrainingOptions;
  /** Written where it comes to no good end and no named checkpoint holds what was learned. */
  readonly leftAt: string;
  readonly say: WorkOutput;
  readonly signal: AbortSignal;
}

/**
 * Trains, and leaves a checkpoint where it is interrupted or comes to no good end.
 * @param onReady awaited once, before the first step
 * @param finish makes of what was trained what lasts: until then only a checkpoint has it
 * @throws PareError as `trainInProcess`; what `finish` throws
 */
export async function trainWithCheckpoints<T>(
  training: Training,
  onReady: () => Promise<void>,
  finish: (trained: TrainedStudent) => Promise<T>,
): Promise<T> {
  const { student, teacher, data, say, signal } = training;
  const { seed, threads = 1, checkpoint } = training.options;
  const { entries } = data.samples;
  const places = (indexes: readonly number[]): readonly StoredAt[] =>
    indexes.flatMap((index) => entries[index] ?? []);
  const begun = checkpoint === undefined ? null : await existingCheckpoint(checkpoint);
  if (begun !== null) say.note(`Going on from ${checkpoint}.`);
  const saved = new LastCheckpoint(checkpoint, say);
  const report = new TrainingReport(say);
  let ready: Promise<void> | undefined;
  const train = (options: DistillOptions): Promise<TrainedStudent> => {
    report.restart();
    return trainInProcess(
      {
        student,
        teacher,
        options,
        seed,
        threads,
        training: places(training.learnedFrom),
        validation: places(data.splits.validation),
        resume: saved.last ?? begun,
      },
      {
        signal,
        onReady: () => (ready ??= onReady()),
        onTeacher: (fraction) => report.teacher(fraction),
        onProgress: (progress) => report.progress(progress),
        onNote: (note) => say.note(note),
        onCheckpoint: (bytes) => saved.put(bytes),
      },
    );
  };
  try {
    const trained = await withLessMemory(passOptions(training.options), train, say).catch(
      (error: unknown) => {
        throw checkpoint === undefined ? error : inFile(error, checkpoint);
      },
    );
    return await whileExitWaits(() => finish(trained));
  } catch (error) {
    await whileExitWaits(() => saved.leave(training.leftAt));
    throw error;
  } finally {
    await saved.settled();
  }
}

/** Whoever trains knows of a checkpoint's bytes alone. */
function inFile(error: unknown, checkpoint: string): unknown {
  if (!isPareError(error) || error.where !== checkpointPlace) return error;
  const { code, message, hint, cause } = error;
  const anew = "Begin anew: remove the file, or name another with --checkpoint.";
  return new PareError(code, message, {
    where: checkpoint,
    hint: code === "DATA_INVALID" ? anew : hint,
    cause,
  });
}

/**
 * Where the system kills the process that trains, as it does where memory runs out, it goes on from the last checkpoint, or
 * begins anew where there is none, with less: first another way to the same gradients, then half of the batch, and so on.
 */
async function withLessMemory(
  options: DistillOptions,
  train: (options: DistillOptions) => Promise<TrainedStudent>,
  say: Pick<WorkOutput, "note">,
): Promise<TrainedStudent> {
  try {
    return await train(options);
  } catch (error) {
    const { recompute, batch } = options;
    if (!(error instanceof KilledError) || (recompute && batch === 1)) throw error;
    const less = recompute
      ? { ...options, batch: Math.floor(batch / 2) }
      : { ...options, recompute: true };
    const how = recompute
      ? `in batches of ${less.batch}`
      : "keeping few values of a step, and computing the others again";
    say.note(`${error.message} It goes on ${how}.`);
    return withLessMemory(less, train, say);
  }
}

/** What a training is guessed to take, in runs of the model on one sample. */
export function learningRuns(options: DistillOptions, samples: number, validation: number): number {
  return (distill.create(options).learningRuns?.(samples) ?? 0) + options.epochs * validation;
}

/** Those that are given, and the pass's own for the others. @throws PareError RECIPE */
export function passOptions(options: TrainingOptions): DistillOptions {
  const { epochs, batch, rate, temperature, alpha, signals, freeze, learn, workers } = options;
  const { recompute, keepZeros, labels, labelsOf } = options;
  const all = {
    epochs,
    batch,
    rate,
    temperature,
    alpha,
    labels,
    labelsOf,
    signals,
    freeze,
    learn,
    workers,
    recompute,
    keepZeros,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return distill.parse(Object.fromEntries(given));
}
