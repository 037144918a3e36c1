import { type Executor, PareError } from "@pare/runtime/format";
import type { Graph, NodeId, ValueId } from "../../ir/index.js";
import type { TrainingEngine } from "../../ops/index.js";
import type { Examples } from "../../pipeline/examples.js";
import type { PassContext } from "../../pipeline/pass.js";
import { randomOf } from "../../pipeline/random.js";
import { bindBatch } from "../../train/bind-batch.js";
import { answersOf } from "../../train/answers.js";
import { chooseObjectives, isOfScores, named } from "../../train/objectives.js";
import { integerShare, isNamed, type LearnedConstant } from "../../train/parameters.js";
import { moveScores } from "../../train/move-scores.js";
import { emitReadings } from "../../train/readings.js";
import { loadSamples, type Samples } from "../../train/samples.js";
import { takesBatches } from "../../train/takes-batches.js";
import { weighed } from "../../train/spread.js";
import type { TeacherSource } from "../../train/teacher.js";
import { trainKept } from "../../train/kept-training.js";
import { train } from "../../train/trainer.js";
import type { Trained, TrainRequest } from "../../train/train-request.js";
import { giveFloats } from "../float32/in-float32.js";
import { bringToFloat32 } from "../normal-form.js";
import { openWorkers } from "./open-workers.js";
import { fixSizes } from "./fix-sizes.js";
import { contentOf, identityOf } from "./identity.js";
import type { DistillOptions } from "./options.js";

/** What teaching needs, and whom it tells. */
export interface DistillServices extends Pick<
  TrainRequest,
  | "random"
  | "signal"
  | "onProgress"
  | "onNote"
  | "onReady"
  | "onTeacher"
  | "onGradients"
  | "onCheckpoint"
  | "checkpointDue"
  | "resume"
> {
  /** What is learned from. */
  readonly examples: Examples;
  /** Looked at after each epoch, and learned from by nobody. */
  readonly validation?: Examples | undefined;
  /** Absent: labels alone teach. It stays as it is. */
  readonly teacher?: Graph | undefined;
  /** Told while activations are measured, before anything is learned. */
  readonly onMeasured?: PassContext["onProgress"];
  /** Where the training is kept, to go on from; absent: nowhere. */
  readonly kept?: PassContext["kept"];
  /** The teacher's answers are kept up to so many bytes: 512 MB where not given. */
  readonly keptBytes?: number | undefined;
  /** The examples' where not given. */
  readonly executor?: Executor | undefined;
  /** Where it runs; the CPU where not given. */
  readonly engine?: TrainingEngine | undefined;
  /** Where the options do not say: as many workers share a batch as pay, else one has it alone. */
  readonly chooseWorkers?: boolean | undefined;
}

/**
 * What a sample's share of a step is guessed to take, in runs of the model with its weights as constants. In forward passes of
 * training, the proof `training/what-a-step-costs` counts it.
 */
const runsPerSample = 5;
/** What is computed again comes on top. */
const recomputing = 1.25;

/** What a training on so many samples is guessed to take, in such runs. */
export function learningRuns(
  { epochs, recompute }: Pick<DistillOptions, "epochs" | "recompute">,
  examples: number,
): number {
  return epochs * examples * runsPerSample * (recompute ? recomputing : 1);
}

/** What a graph is to learn. */
export interface Lesson {
  /** In normal form; it stays as it is. */
  readonly graph: Graph;
  readonly learned: readonly LearnedConstant[];
  readonly trained: readonly LearnedConstant[];
  /** Nodes that round, through which gradients pass all the same. */
  readonly straightThrough?: ReadonlySet<NodeId>;
  /** Who teaches, for messages. */
  readonly where: string;
}

/**
 * Trains constants of a graph to answer as a teacher does and as labels say.
 * @throws PareError as `train`, `loadSamples` and `chooseObjectives`; DATA_MISMATCH where the teacher has other inputs
 */
export async function teach(
  { graph, learned: all, trained, straightThrough, where }: Lesson,
  options: DistillOptions,
  services: DistillServices,
): Promise<Trained> {
  const { examples, validation, signal, keptBytes, onNote } = services;
  // A norm whose statistics stay goes by them.
  const learned = all.filter((one) => !isNamed(graph, one, options.freeze));
  const read = new Set(options.signals.flatMap(({ value, teacher = value }) => [value, teacher]));
  const teacher = services.teacher?.fork() ?? null;
  if (teacher !== null) {
    await bringToFloat32(teacher);
    giveFloats(teacher);
    moveScores(teacher, read);
  }
  const inputs = graph.main.inputs.map((id) => graph.value(id).name);
  const source = teacher === null ? null : { ...teacherSource(teacher, inputs), keptBytes };
  // Beside the graph that is taught: what signals read of it is no part of it.
  const model = graph.fork();
  giveFloats(model);
  moveScores(model, read);
  const integers = integerShare(graph);
  if (integers > 0)
    onNote?.(
      `${Math.round(100 * integers)} % of its weights are integers, and stay as they are: train the float model, and quantize then.`,
    );
  const signals = source === null ? [] : readSignals(model, source, options.signals);
  const load = (from: Examples, say?: typeof onNote): Promise<Samples> =>
    loadSamples(from.read(), from.count, inputs, where, signal, say);
  const samples = await load(examples, onNote);
  const judged = validation === undefined || validation.count === 0 ? null : await load(validation);
  const executor = services.executor ?? examples.executor;
  const wanted = { ...options, signals };
  const runs = await samplesOfRuns(model, source, samples, wanted, { executor, signal });
  const values = new Set([...all, ...trained].map(({ value }) => value));
  await fixSizesOf(model, values, source, samples, runs);
  const chosen = objectivesOf(model, source, samples, wanted, runs, where, onNote);
  const objectives =
    source === null || signals.length > 0
      ? chosen
      : await weighed(chosen, { ...source, perRun: runs.teacher, samples, executor, signal });
  // One sample has no statistics that a norm could learn.
  const norms = runs.student === undefined ? options.norms : "frozen";
  if (runs.student !== undefined) onNote?.(oneAtATime(model, options));
  const own = { ...options, norms };
  const { kept, onCheckpoint, resume } = services;
  const isKept = [kept, onCheckpoint, resume].some((one) => one !== undefined);
  const { teacher: given } = services;
  const taught = { student: graph, learned, trained, teacher: given, samples, objectives, model };
  const identity = isKept ? await identityOf(taught, own) : undefined;
  const workers = await openWorkers(model, samples.dims, own, services, where);
  try {
    const request = {
      ...services,
      model,
      samples,
      validation: judged,
      objectives,
      learned,
      trained,
      straightThrough,
      teacher: source && { ...source, perRun: runs.teacher },
      perRun: runs.student,
      executor,
      beside: workers.executors,
      engine: services.engine ?? "cpu",
      options: trainOptions(own, 1 + workers.executors.length),
      where,
    };
    if (kept === undefined || identity === undefined) return await train({ ...request, identity });
    return await trainKept({ ...request, identity }, await contentOf(graph), kept);
  } finally {
    await workers.close();
  }
}

/**
 * What a pass has to teach with.
 * @throws PareError DATA_NOT_FOUND without samples
 */
export function servicesOf(
  { examples, training, teacher, random, kept, signal, onProgress }: PassContext,
  where: string,
): DistillServices {
  const source = training ?? examples;
  if (source === undefined) {
    throw new PareError("DATA_NOT_FOUND", `${where} learns from samples, but there is no data.`, {
      where,
      hint: "Give data with --data.",
    });
  }
  return {
    examples: source,
    teacher,
    random: random ?? ((name) => randomOf(0, name)),
    kept,
    signal,
    onProgress: ({ done, epoch, epochs, loss }) =>
      onProgress?.(
        done,
        `epoch ${Math.min(epoch + 1, epochs)} of ${epochs}, loss ${loss.toPrecision(3)}`,
      ),
    onMeasured: (_, what) => onProgress?.(0, what),
    onTeacher: (fraction) => onProgress?.(0, `the teacher: ${Math.round(100 * fraction)} %`),
  };
}

/**
 * Inputs by their names, or the only one of each whatever it is called.
 * @throws PareError DATA_MISMATCH
 */
function teacherSource(graph: Graph, columns: readonly string[]): TeacherSource {
  const names = graph.main.inputs.map((id) => graph.value(id).name);
  const [column] = columns;
  const [name] = names;
  if (columns.length === 1 && names.length === 1 && column !== undefined && name !== undefined)
    return { graph, inputs: new Map([[column, name]]) };
  const missing = names.find((one) => !columns.includes(one));
  if (missing === undefined) return { graph, inputs: new Map(names.map((one) => [one, one])) };
  throw new PareError(
    "DATA_MISMATCH",
    `Teacher and student do not fit: the teacher's input "${missing}" is none of the student's.`,
    { where: "teacher", hint: `The student's inputs are ${columns.join(", ")}.` },
  );
}

/** Signals of what is read of values, where it is not the values themselves. */
function readSignals(
  student: Graph,
  { graph, inputs }: TeacherSource,
  signals: DistillOptions["signals"],
): DistillOptions["signals"] {
  const own = emitReadings(student, signals, "student");
  const counterparts = signals.map(({ value, teacher = value, mask, ...how }) => ({
    ...how,
    value: teacher,
    mask: mask === undefined || isOfScores(how.loss) ? undefined : (inputs.get(mask) ?? mask),
  }));
  const taught = emitReadings(graph, counterparts, "teacher");
  return signals.map((signal, index) => ({
    ...signal,
    value: own[index] ?? signal.value,
    teacher: taught[index],
    mask: isOfScores(signal.loss) ? signal.mask : undefined,
  }));
}

/** How many samples a run has, where it does not have as many as there are. */
interface SamplesOfRuns {
  readonly student?: number | undefined;
  readonly teacher?: number | undefined;
}

/** Of models that keep samples apart, all; of others, one. */
async function samplesOfRuns(
  graph: Graph,
  teacher: TeacherSource | null,
  samples: Samples,
  { signals }: DistillOptions,
  services: { readonly executor: Executor; readonly signal?: AbortSignal | undefined },
): Promise<SamplesOfRuns> {
  const inputs = new Map(
    graph.main.inputs.map((id) => [graph.value(id).name, graph.value(id).name]),
  );
  if (teacher === null) {
    const values = graph.main.outputs.slice(0, 1);
    const student = await takesBatches({ graph, inputs, values, samples, ...services });
    return { student: student ? undefined : 1 };
  }
  const learned = signals.length > 0 ? signals : answersOf(graph, teacher.graph);
  const values = learned.map(({ value }) => named(graph, value, "student"));
  const student = await takesBatches({ graph, inputs, values, samples, ...services });
  const taught = learned.map(({ value, teacher: other = value }) =>
    named(teacher.graph, other, "teacher"),
  );
  const both = await takesBatches({ ...teacher, values: taught, samples, ...services });
  return { student: student ? undefined : 1, teacher: both ? undefined : 1 };
}

async function fixSizesOf(
  graph: Graph,
  learned: ReadonlySet<ValueId>,
  teacher: TeacherSource | null,
  { dims }: Samples,
  runs: SamplesOfRuns,
): Promise<void> {
  if (runs.student === 1) await fixSizes(graph, dims, learned);
  if (runs.teacher !== 1 || teacher === null) return;
  const own = [...teacher.inputs].map(([column, input]) => [input, dims[column] ?? []] as const);
  await fixSizes(teacher.graph, Object.fromEntries(own));
}

function oneAtATime(graph: Graph, { batch, norms }: DistillOptions): string {
  const hasNorms = graph.order().some(({ op }) => op === "BatchNormalization");
  const kept = hasNorms && norms === "batch" ? " Its batch norms stay as they are." : "";
  return `The model takes one sample at a time: a batch of ${batch} is as many runs.${kept}`;
}

function objectivesOf(
  graph: Graph,
  teacher: TeacherSource | null,
  samples: Samples,
  { alpha, temperature, signals, labels, labelsOf }: DistillOptions,
  runs: SamplesOfRuns,
  where: string,
  onNote: DistillServices["onNote"],
): TrainRequest["objectives"] {
  // Of any batch: two cannot be mistaken for a dim of 1.
  const [batch, taughtBatch] = [runs.student ?? 2, runs.teacher ?? 2];
  const student = graph.fork();
  bindBatch(student, samples.dims, batch);
  const other = teacher?.graph.fork() ?? null;
  if (teacher !== null && other !== null) {
    const dims = [...teacher.inputs].map(([column, input]) => [input, samples.dims[column] ?? []]);
    bindBatch(other, Object.fromEntries(dims), taughtBatch);
  }
  return chooseObjectives(
    { graph: student, batch },
    other && { graph: other, batch: taughtBatch },
    samples.labels,
    { alpha, temperature, signals, labels, labelsOf },
    where,
    onNote,
  );
}

function trainOptions(options: DistillOptions, workers: number): TrainRequest["options"] {
  const { epochs, batch, rate, clip, average, norms, dropout, schedule, warmUp } = options;
  const { momentum, nesterov, weightDecay, recompute, keepZeros } = options;
  return {
    epochs,
    batch,
    rate,
    clip,
    average,
    norms,
    dropout,
    recompute,
    keepZeros,
    workers,
    schedule: { kind: schedule, warmUp },
    optimizer:
      options.optimizer === "sgd"
        ? { kind: "sgd", momentum, nesterov, weightDecay }
        : { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay },
  };
}
