import { rm } from "node:fs/promises";
import {
  decodeModel,
  encodeModel,
  findPass,
  inferNode,
  initializeFresh,
  randomOf,
} from "@pare/compiler";
import { byteSource, PareError } from "@pare/runtime/format";
import { openData, type OpenData } from "../../data/open-data.js";
import type { Output, OutputOptions } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { type Engines, openEngines } from "../../workbench/engines.js";
import { prepareEvaluation } from "../../workbench/evaluation.js";
import type { NoCheckOptions } from "../../workbench/no-check.js";
import { openModel, type OpenedModel } from "../../workbench/opened-model.js";
import { writeSteps } from "../../workbench/run-steps.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import { type Tested, testedAccuracy } from "./tested-accuracy.js";
import { type TrainingOptions, trainWithCheckpoints } from "./train-with-checkpoints.js";
import { accuracyText } from "./training-report.js";

export interface DistillVerbOptions
  extends OutputOptions, ShapeOptions, NoCheckOptions, TrainingOptions {
  readonly student?: string;
  readonly teacher?: string;
  readonly data?: string;
  readonly preprocess?: string;
  readonly metric?: string;
  readonly fresh?: boolean;
  readonly output?: string;
}

/** `pare distill`: a model taught by another and by labels, ONNX in, ONNX out. */
export async function runDistill(
  path: string | undefined,
  options: DistillVerbOptions,
  context: VerbContext,
): Promise<void> {
  const say = context.output(options);
  const { student: studentPath, data: dataPath } = checked(path, options);
  const { signal } = context;
  const shapes = parseShapes(options);
  const opened: OpenedModel[] = [];
  let data: OpenData | null = null;
  let engines: Engines | null = null;
  try {
    const student = await openModel(studentPath, shapes, signal);
    opened.push(student);
    const teacher =
      options.teacher === undefined
        ? null
        : await openModel(options.teacher, shapes, signal, "skip");
    if (teacher !== null) opened.push(teacher);
    data = await openData(dataPath, {
      inputs: student.inputs,
      seed: options.seed,
      purpose: "training",
      signal,
      ...(options.preprocess !== undefined && { preprocess: options.preprocess }),
      onProgress: (done) => say.progress(0, `reading samples: ${done}`),
      onPrint: (text) => say.detail(text),
    });
    const learnedFrom = sayWhatIsLearnedFrom(data, say);
    engines = await openEngines(["cpu"]).catch(() => openEngines(["wasm"]));
    const before = await startOf(student, options);
    const teacherBytes = teacher === null ? null : await bytesOf(teacher);
    const { seed } = options;
    const output = options.output ?? `${student.name}.distilled.onnx`;
    const trained = await trainWithCheckpoints({
      student: before,
      teacher: teacherBytes,
      data,
      learnedFrom,
      options,
      leftAt: `${output}.checkpoint.safetensors`,
      say,
      signal,
    });
    const trainedGraph = await decodeModel(
      { proto: byteSource(trained.student), external: new Map() },
      { infer: inferNode },
    );
    const written = await writeSteps({
      model: { ...student, graph: trainedGraph },
      steps: [{ use: "simplify" }],
      output,
      suffix: "distilled",
      check: options.check,
      say,
      signal,
    });
    const { reference } = engines;
    const evaluation = await prepareEvaluation(
      teacher ?? student,
      data,
      options.metric,
      seed,
      reference,
    );
    const models: readonly Tested[] = [
      ...(teacherBytes === null ? [] : [{ name: "teacher", bytes: teacherBytes }]),
      { name: "before", bytes: before },
      { name: "after", bytes: trained.student },
    ];
    const tested = await testedAccuracy(models, evaluation, reference, signal, (done) =>
      say.progress(done, "testing"),
    );
    if (options.checkpoint !== undefined) await rm(options.checkpoint, { force: true });
    const { history, steps, engine } = trained;
    say.result([accuracyText(tested), written.text].filter((line) => line !== null).join("\n"), {
      ...written.document,
      training: { epochs: history, steps, batch: trained.batch, engine, seed },
      data: evaluation.report,
      accuracy: Object.fromEntries(tested),
    });
  } finally {
    say.settle();
    await data?.dispose();
    await engines?.dispose();
    for (const model of opened) model.close();
  }
}

/** @throws PareError ARGUMENT, before anything is opened */
function checked(
  path: string | undefined,
  { student, data, preprocess }: DistillVerbOptions,
): { readonly student: string; readonly data: string } {
  if (path !== undefined && student !== undefined && path !== student)
    refuse("There are two students.", "--student", "Name one; --teacher names who teaches.");
  const named = path ?? student;
  if (named === undefined)
    return refuse("There is no student.", "--student", "Name the model that is to be trained.");
  if (data === undefined) {
    const why =
      preprocess === undefined ? "distill learns from samples" : "--preprocess is for samples";
    return refuse(`${why}, and there are none.`, "--data", "Add --data.");
  }
  return { student: named, data };
}

function refuse(message: string, where: string, hint: string): never {
  throw new PareError("ARGUMENT", message, { where, hint });
}

/** The training split; where the data names splits, and none for training, the calibration split. */
function sayWhatIsLearnedFrom({ splits, caveat }: OpenData, say: Output): readonly number[] {
  const { training, calibration, validation, test, rule } = splits;
  if (caveat !== null) say.note(caveat);
  const learned = training ?? calibration;
  const which =
    training === undefined
      ? `the calibration split's ${learned.length} samples, for the data names no training split (export splits.training to give more)`
      : `${learned.length} samples`;
  say.note(
    `It learns from ${which}, looks at ${validation.length} after each epoch, and is tested on ${test.length}. ${rule}`,
  );
  return learned;
}

/** The student in normal form, as it is trained from: with its own weights, or fresh ones. */
async function startOf(
  { graph }: OpenedModel,
  { fresh, seed }: DistillVerbOptions,
): Promise<Uint8Array> {
  const normalize = findPass("normalize");
  await normalize.create(normalize.parse({})).run(graph, {});
  if (fresh === true) initializeFresh(graph, (name) => randomOf(seed, name));
  return (await encodeModel(graph)).proto;
}

async function bytesOf({ graph }: OpenedModel): Promise<Uint8Array> {
  return (await encodeModel(graph)).proto;
}
