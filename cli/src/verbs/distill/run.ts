import {
  bringToTrainable,
  countParameters,
  demandTrainable,
  encodeModel,
  type Graph,
  initializeFresh,
  randomOf,
} from "@pare/compiler";
import { PareError, type ValueInfo } from "@pare/runtime/format";
import type { OpenData } from "../../data/open-data.js";
import type { OutputOptions } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { type Engines, openReference } from "../../workbench/engines.js";
import type { NoCheckOptions } from "../../workbench/no-check.js";
import { openModel, type OpenedModel } from "../../workbench/opened-model.js";
import { examplesAmong } from "../../workbench/evaluation.js";
import { applySteps, factsOf } from "../../workbench/run-steps.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import { teach } from "../../workbench/training/teach.js";
import { harmText } from "../../workbench/training/tested-accuracy.js";
import type { TrainingOptions } from "../../workbench/training/train-with-checkpoints.js";
import {
  checkTeacherOptions,
  signalsOf,
  type TeacherOptions,
} from "../../workbench/training/training-options.js";
import { openTrainingData } from "../../workbench/training/training-data.js";
import { spreadOrder } from "../../data/spread-order.js";
import type { Output } from "../../terminal/output.js";
import { countText } from "../../terminal/words.js";
import { refuse, refuseWithout } from "../../terminal/refuse.js";
import { taughtAccuracyText } from "./taught-accuracy.js";
import { type StudentSource, studentSource } from "./student.js";

export interface DistillVerbOptions
  extends
    OutputOptions,
    ShapeOptions,
    NoCheckOptions,
    TeacherOptions,
    Omit<TrainingOptions, "signals" | keyof TeacherOptions> {
  readonly student?: string;
  readonly teacher?: string;
  readonly data?: string;
  readonly preprocess?: string;
  readonly freeze?: readonly string[];
  readonly fresh?: boolean;
  readonly output?: string;
}

/**
 * `pare distill`: a model taught by another and by labels, ONNX in, ONNX out.
 * @param paths all that was named without a flag: the student, if anything
 */
export async function runDistill(
  paths: readonly string[],
  options: DistillVerbOptions,
  context: VerbContext,
): Promise<void> {
  const say = context.output(options);
  const { source, file, data: dataPath } = checked(paths, options);
  const { signal } = context;
  const shapes = parseShapes(options);
  const opened: OpenedModel[] = [];
  let data: OpenData | null = null;
  let engines: Engines | null = null;
  try {
    const student = await openModel(file, shapes, signal);
    opened.push(student);
    const teacher =
      options.teacher === undefined
        ? null
        : await openModel(options.teacher, shapes, signal, "skip");
    if (teacher !== null) {
      opened.push(teacher);
      demandLikeTypes(student, teacher);
    }
    const samples = await openTrainingData(
      dataPath,
      options,
      student,
      teacher !== null,
      say,
      signal,
    );
    data = samples.data;
    engines = await openReference({ signal });
    const before = factsOf(student);
    if (source.kind === "cut") {
      const { samples: set } = samples.data;
      const order = spreadOrder(samples.learnedFrom, options.seed);
      const examples = examplesAmong(order, set, engines.reference);
      const { steps } = source;
      const whole = countParameters(student.graph);
      await applySteps({ model: student, steps, examples, seed: options.seed, say, signal });
      sayWhatIsLeftOut(student.graph, whole, say);
    }
    const start = await startOf(student, options);
    const teacherBytes = teacher === null ? null : await bytesOf(teacher);
    const { text, document, tested } = await teach({
      model: student,
      before,
      student: start,
      teacher: teacherBytes,
      samples,
      options: { ...options, signals: signalsOf(options) },
      steps: [{ use: "simplify" }],
      output: options.output ?? `${student.name}.distilled.onnx`,
      suffix: "distilled",
      check: options.check,
      judged: teacher ?? student,
      beside: [
        ...(teacherBytes === null ? [] : [{ name: "teacher", bytes: teacherBytes }]),
        { name: "before", bytes: start },
      ],
      called: "after",
      host: engines.reference,
      say,
      signal,
    });
    const harm = harmText(tested.get("before"), tested.get("after"));
    const lines = [taughtAccuracyText(tested), text, harm].filter((line) => line !== null);
    say.result(lines.join("\n"), document);
  } finally {
    say.settle();
    await data?.dispose();
    await engines?.dispose();
    for (const model of opened) model.close();
  }
}

/** @throws PareError ARGUMENT, before anything is opened */
function checked(
  paths: readonly string[],
  options: DistillVerbOptions,
): { readonly source: StudentSource; readonly file: string; readonly data: string } {
  const { student, teacher, data, preprocess, signal, freeze, learn } = options;
  const { alpha, temperature } = options;
  const all = [...new Set([...paths, ...(student === undefined ? [] : [student])])];
  const [named] = all;
  const [flag, names] = freeze !== undefined ? ["--freeze", freeze] : ["--learn", learn ?? []];
  if (names.length > 0 && (all.length > 1 || named?.endsWith("*")))
    refuse(
      `Names of weights behind a space cannot be told from a student: ${all.join(" ")}.`,
      flag,
      `Put commas between names of weights (${flag} "${names.join(",")},…"), and name one student.`,
    );
  if (all.length > 1)
    refuse("There are two students.", "--student", "Name one; --teacher names who teaches.");
  if (named === undefined)
    return refuse("There is no student.", "--student", "Name the model that is to be trained.");
  const source = studentSource(named);
  const file = source.kind === "file" ? source.path : teacher;
  if (file === undefined)
    return refuse(
      "The student is a part of the teacher, and there is no teacher.",
      "--teacher",
      "Name the teacher's file with --teacher.",
    );
  if (teacher === undefined)
    refuseWithout("--teacher", {
      "--signal": signal,
      "--alpha": alpha,
      "--temperature": temperature,
    });
  checkTeacherOptions(options);
  if (data === undefined) {
    const why =
      preprocess === undefined ? "distill learns from samples" : "--preprocess is for samples";
    return refuse(`${why}, and there are none.`, "--data", "Add --data.");
  }
  return { source, file, data };
}

/** Both are given the same samples. @throws PareError DATA_MISMATCH */
function demandLikeTypes(student: OpenedModel, teacher: OpenedModel): void {
  const isAlone = student.inputs.length === 1 && teacher.inputs.length === 1;
  for (const { name, type, dims } of student.inputs) {
    const like = teacher.inputs.find((input) => isAlone || input.name === name);
    if (like === undefined) continue;
    const isAlike = like.dims.length === dims.length && like.dims.every((dim, axis) => axis === 0 || fits(dim, dims[axis])); // prettier-ignore
    if (like.type === type && isAlike) continue;
    const [theirs, own] = [like, { type, dims }].map(
      (one) => `${one.type} [${one.dims.join(", ")}]`,
    );
    throw new PareError(
      "DATA_MISMATCH",
      `Teacher and student take the same samples, but "${name}" is ${theirs} for the teacher and ${own} for the student.`,
      { where: name, hint: "Export both with inputs of one type and size." },
    );
  }
}

/** Two dims that may be the same: a name stands for any. */
function fits(one: ValueInfo["dims"][number], other: ValueInfo["dims"][number] = null): boolean {
  return typeof one !== "number" || typeof other !== "number" || one === other;
}

/** @param whole the teacher's parameters */
function sayWhatIsLeftOut(graph: Graph, whole: number, say: Output): void {
  const reasons = graph.journal.flatMap(({ rule, what, reason }) =>
    rule === "drop-layers" && what === "changed" ? [`, ${reason}`] : [],
  );
  const [left, all] = [countParameters(graph), whole].map(countText);
  say.note(`The student is the teacher${reasons.join("")}: ${left} of ${all} parameters.`);
}

/** The student as it is trained from: with its own weights, or fresh ones. */
async function startOf(
  { graph }: OpenedModel,
  { fresh, seed, freeze = [], learn = [] }: DistillVerbOptions,
): Promise<Uint8Array> {
  // As it is trained: in float32, also what it was when it came as float16.
  await bringToTrainable(graph);
  demandTrainable(graph, freeze, learn);
  if (fresh === true) initializeFresh(graph, (name) => randomOf(seed, name), freeze, learn);
  return (await encodeModel(graph)).proto;
}

async function bytesOf({ graph }: OpenedModel): Promise<Uint8Array> {
  return (await encodeModel(graph)).proto;
}
