import { elementCount, PareError } from "@pare/runtime/format";
import { areShares } from "../analysis/index.js";
import { type Graph, isStatic, shapeOf, type ValueId } from "../ir/index.js";
import { movesExactly, operatorOf } from "../ops/index.js";
import { answersOf } from "./answers.js";
import { rowDims } from "./bind-batch.js";
import { classAxis } from "./class-axis.js";
import { demandClasses, type Labels } from "./labels.js";
import type { Loss } from "./losses.js";
import { classDims, scoresBehind } from "./scores-behind.js";

export const labelLosses = [
  "auto",
  "cross-entropy",
  "binary-cross-entropy",
  "mse",
  "none",
] as const;
export const signalLosses = ["divergence", "mse", "cosine", "binary-cross-entropy"] as const;

/** Is it of what comes before a softmax or a sigmoid? A signal of probabilities is looked at behind these. */
export function isOfScores(loss: Signal["loss"]): boolean {
  return loss === "divergence" || loss === "binary-cross-entropy";
}

/** A value of the student that is to become as the teacher's. */
export interface Signal {
  /** An output, or any other value of the student, by name. */
  readonly value: string;
  /** Its counterpart in the teacher; of the same name where not given. */
  readonly teacher?: string | undefined;
  readonly loss: (typeof signalLosses)[number];
  /** Among the signals; 1 where not given. */
  readonly weight?: number | undefined;
  /** An input that is 0 where places of the value do not count; all do where not given. See `emitReadings`. */
  readonly mask?: string | undefined;
  /** What is learned is the mean over the places that count. */
  readonly mean?: boolean | undefined;
}

export interface ObjectiveOptions {
  /** The teacher's share of the loss, 0 to 1; the rest is the labels'. */
  readonly alpha: number;
  /** Of divergence: above 1 it shows how the teacher tells wrong classes apart. */
  readonly temperature: number;
  /**
   * None: the outputs, by divergence where they are scores of classes and else by mse; by both where nothing tells: a
   * divergence alone would not see a shift of all of them.
   */
  readonly signals: readonly Signal[];
  readonly labels: (typeof labelLosses)[number];
  /** The output that labels are of; where not given, the one that they fit. */
  readonly labelsOf?: string | undefined;
}

/** A term of the loss. */
export interface Objective {
  readonly loss: Loss;
  readonly weight: number;
  readonly value: ValueId;
  /** Of one sample, without the batch. */
  readonly dims: readonly number[];
  /** Which of these dims is that of the classes, or of what an angle is between. */
  readonly axis: number;
  /** An input, [samples, places], that is 0 where rows do not count; all do where not given. */
  readonly mask?: ValueId | undefined;
  readonly target:
    | { readonly from: "labels" }
    | { readonly from: "teacher"; readonly value: ValueId };
}

/** A graph whose inputs hold a batch. */
export interface Batched {
  readonly graph: Graph;
  readonly batch: number;
}

/**
 * What is to be minimized.
 * @throws PareError LABELS when there is nothing to learn from, or labels do not fit; RECIPE for a signal that is not
 * there; MODEL_SHAPE when teacher and student do not fit
 */
export function chooseObjectives(
  student: Batched,
  teacher: Batched | null,
  labels: Labels | null,
  options: ObjectiveOptions,
  where: string,
  onNote?: (note: string) => void,
): readonly Objective[] {
  const taught =
    teacher === null ? [] : teacherObjectives(student, teacher, labels, options, where);
  const isLeftOut = options.labels === "none" || (taught.length > 0 && options.alpha === 1);
  const own = labels === null || isLeftOut ? null : labelObjective(student, labels, options, where);
  const misfit = typeof own === "string" ? own : null;
  if (misfit !== null) {
    // Who names a loss of labels, or wants nothing else, is not to get another.
    if (taught.length === 0 || options.labels !== "auto" || options.alpha === 0)
      throw new PareError("LABELS", misfit, { where, hint: fittingLabels });
    onNote?.(`${misfit} The labels are left out: the teacher's answers alone are learned.`);
  }
  const labelled = typeof own === "string" ? null : own;
  const share = taught.length === 0 ? 0 : labelled === null ? 1 : options.alpha;
  const whole = taught.reduce((sum, { weight }) => sum + weight, 0) || 1;
  const objectives = [
    ...(labelled === null ? [] : [{ ...labelled, weight: 1 - share }]),
    ...taught.map((one) => ({ ...one, weight: (share * one.weight) / whole })),
  ].filter(({ weight }) => weight > 0);
  if (objectives.length > 0) return objectives;
  if (teacher !== null && taught.length === 0) throw nothingFloat(student.graph, where);
  throw new PareError(
    "LABELS",
    teacher === null
      ? "There is nothing to learn from: the data has no labels that can be learned, and there is no teacher."
      : "There is nothing to learn from: no loss has a weight.",
    { where, hint: "Give the samples labels, or name a teacher." },
  );
}

/** Outputs that are rounded to integers at the end, as pictures are. */
function nothingFloat(graph: Graph, where: string): PareError {
  const outputs = graph.main.outputs.map((id) => {
    const { name, type } = graph.value(id);
    return `"${name}" is ${type.kind === "tensor" ? type.dtype : `a ${type.kind}`}`;
  });
  return new PareError(
    "LABELS",
    `There is nothing to learn from a teacher: no output is float32, and only those have a gradient: ${outputs.join(", ")}.`,
    { where, hint: "Name values before the outputs that are to become as the teacher's: --signal conv_out=mse." }, // prettier-ignore
  );
}

const fittingLabels =
  "Give each sample a class where the output has one score for each, or as many numbers as it has. Which output of several labels are of, --labels-of says, or labelsOf in a recipe.";

/** Or why the labels do not fit. */
function labelObjective(
  { graph, batch }: Batched,
  labels: Labels,
  { labels: wanted, labelsOf }: ObjectiveOptions,
  where: string,
): Omit<Objective, "weight"> | string {
  const output = labelledOutput({ graph, batch }, labels, labelsOf);
  if (typeof output === "string") return output;
  if (output === undefined)
    throw new PareError("MODEL_INVALID", "The model has no output.", { where });
  const { name } = graph.value(output);
  const { value, activation, axis: said } = scoresBehind(graph, output);
  const own = rowDims(graph, value, batch);
  const dims = classDims(own);
  const axis = axisIn(own, said ?? classAxis(graph, value));
  const target = { from: "labels" } as const;
  const count = elementCount(dims);
  const row = labels.kind === "classes" ? 1 : labels.row;
  const classes = dims[axis] ?? 1;
  const isOneOf = row !== count && classes > 1 && (labels.kind === "classes" || areClasses(labels));
  if (isOneOf && (wanted === "auto" || wanted === "cross-entropy")) {
    const [is, each] =
      labels.kind === "classes" ? ["one class", "one"] : [`${row} numbers`, "that many"];
    if (row * classes !== count)
      return `A label is ${is}, but the output "${name}" is [${dims.join(", ")}] for a sample, which has ${classes} classes for not ${each}.`;
    demandClasses(labels, classes, where);
    return { loss: { kind: "cross-entropy", targets: "classes" }, value, dims, axis, target };
  }
  if (row !== count)
    return `A label is ${row} numbers, but the output "${name}" has ${count} for a sample.`;
  const kind = wanted === "auto" ? kindFor(activation, labels, isBounded(graph, value)) : wanted;
  switch (kind) {
    case "cross-entropy":
      return { loss: { kind, targets: "probabilities" }, value, dims, axis, target };
    case "binary-cross-entropy":
      demandShares(labels, where);
      return { loss: { kind, targets: "probabilities" }, value, dims, axis, target };
    default: {
      const whole = rowDims(graph, output, batch);
      return { loss: { kind: "mse" }, value: output, dims: whole, axis: whole.length - 1, target };
    }
  }
}

/** The place of a value's axis among a sample's dims that are not 1. */
function axisIn(dims: readonly number[], axis: number): number {
  const last = Math.max(0, classDims(dims).length - 1);
  if (axis < 1 || dims[axis - 1] === 1) return last;
  return Math.min(last, dims.slice(0, axis - 1).filter((size) => size !== 1).length);
}

/**
 * The output of this name; or the only float output that labels fit, or fit exactly; or else the first: some models give the
 * class, too, as an integer. Where several fit alike, that in a sentence.
 * @throws PareError RECIPE for a name that no output has
 */
function labelledOutput(
  { graph, batch }: Batched,
  labels: Labels,
  wanted: string | undefined,
): ValueId | string | undefined {
  const names = graph.main.outputs.map((id) => graph.value(id).name);
  if (wanted !== undefined) {
    const index = names.indexOf(wanted);
    if (index >= 0) return graph.main.outputs[index];
    throw new PareError("RECIPE", `The model has no output "${wanted}" that labels could be of.`, {
      where: "labelsOf",
      hint: `Its outputs are ${names.join(", ")}.`,
    });
  }
  const floats = graph.main.outputs.filter((id) => isFloat(graph, id));
  const fits = floats.map((id) => fitOf(graph, id, batch, labels));
  const best = Math.max(0, ...fits);
  const fitting = floats.filter((_, index) => best > 0 && fits[index] === best);
  if (fitting.length > 1)
    return `Labels fit several outputs alike: ${fitting.map((id) => `"${graph.value(id).name}"`).join(", ")}.`;
  return fitting[0] ?? floats[0] ?? graph.main.outputs[0];
}

/** How well labels fit an output: 0 not at all, 2 where it has as many classes as there are. */
function fitOf(graph: Graph, id: ValueId, batch: number, labels: Labels): number {
  const shape = shapeOf(graph, id);
  if (shape === undefined || !isStatic(shape)) return 0;
  const count = elementCount(shape) / batch;
  const isRow = classDims(shape.slice(1)).length === 1;
  let most = 0;
  for (const value of labels.values) most = Math.max(most, value);
  if (labels.kind === "classes") return !isRow ? 0 : count === most + 1 ? 2 : count > most ? 1 : 0;
  if (count === labels.row) return 2;
  const classes = count / labels.row;
  return areClasses(labels) && Number.isInteger(classes) && classes > most ? 1 : 0;
}

/** Is each number a class? */
function areClasses({ values }: Labels): boolean {
  return !Array.from<number>(values).some((value) => !(Number.isInteger(value) && value >= 0));
}

function isFloat(graph: Graph, id: ValueId): boolean {
  const { type } = graph.value(id);
  return type.kind === "tensor" && type.dtype === "float32";
}

function kindFor(
  activation: string | null,
  labels: Labels,
  bounded: boolean,
): "cross-entropy" | "binary-cross-entropy" | "mse" {
  if (activation === "Softmax" || activation === "LogSoftmax") return "cross-entropy";
  if (activation === "Sigmoid") return "binary-cross-entropy";
  // What goes through a rectifier or a Tanh is no score before a sigmoid or a softmax.
  if (bounded) return "mse";
  if (activation === null && areDistributions(labels)) return "cross-entropy";
  const isTruth = !Array.from<number>(labels.values).some((value) => value !== 0 && value !== 1);
  return activation === null && isTruth ? "binary-cross-entropy" : "mse";
}

/** Has a value ends of its own, by the operator that gives it, wherever its elements are moved? */
function isBounded(graph: Graph, value: ValueId): boolean {
  const producer = graph.producer(value);
  const traits = producer && operatorOf(producer)?.traits;
  if (traits?.range !== undefined || traits?.clamp !== undefined) return true;
  const moved = movesExactly(traits?.dataMovement) ? producer?.inputs[0] : undefined;
  return moved !== null && moved !== undefined && isBounded(graph, moved);
}

/** Of sums of floats. */
const nearlyOne = 1e-3;

/** Are labels a share for each class, of 1 in all? */
function areDistributions(labels: Labels): boolean {
  if (labels.kind === "classes" || labels.row === 1) return false;
  const { row, values } = labels;
  for (let start = 0; start < values.length; start += row) {
    let sum = 0;
    for (const value of values.subarray(start, start + row)) {
      if (!(value >= 0)) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > nearlyOne) return false;
  }
  return true;
}

function demandShares({ values }: Labels, where: string): void {
  const wrong = values.find((value) => !(value >= 0 && value <= 1));
  if (wrong === undefined) return;
  throw new PareError("LABELS", `A label is ${wrong}, which is no probability.`, {
    where,
    hint: "Labels of a sigmoid are 0, 1, or between.",
  });
}

function teacherObjectives(
  student: Batched,
  teacher: Batched,
  labels: Labels | null,
  { temperature, signals, labelsOf }: ObjectiveOptions,
  where: string,
): readonly Objective[] {
  const ofLabels =
    labels?.kind === "classes" ? labelledOutput(student, labels, labelsOf) : undefined;
  const wanted = signals.length > 0 ? signals : outputSignals(student, teacher, ofLabels);
  return wanted.map(({ value: name, teacher: counterpart = name, loss, weight = 1, mask }) => {
    const own = named(student.graph, name, "student");
    const other = named(teacher.graph, counterpart, "teacher");
    const behind = isOfScores(loss) ? scoresBehind(student.graph, own) : null;
    const value = behind?.value ?? own;
    // Probabilities are what a sigmoid's student is to reach; a softmax is taken anew, at its own temperature.
    const taught = loss === "divergence" ? scoresBehind(teacher.graph, other).value : other;
    const studentDims = rowDims(student.graph, value, student.batch);
    const axis =
      mask === undefined ? (behind?.axis ?? classAxis(student.graph, value)) : studentDims.length;
    const teacherDims = rowDims(teacher.graph, taught, teacher.batch);
    const isAlike = studentDims.join() === teacherDims.join() && !isOfScores(loss);
    const [dims, taughtDims] = isAlike
      ? [studentDims, teacherDims]
      : [classDims(studentDims), classDims(teacherDims)];
    if (dims.join() !== taughtDims.join()) {
      throw new PareError(
        "MODEL_SHAPE",
        `Teacher and student do not fit: "${counterpart}" of the teacher is [${taughtDims.join(", ")}] for a sample, "${name}" of the student [${dims.join(", ")}].`,
        { where, hint: "Take a student for the same task, or name signals that both have." },
      );
    }
    return {
      loss: lossOf(loss, temperature, teacher.graph, taught),
      weight,
      value,
      dims,
      axis: isAlike ? Math.max(0, axis - 1) : axisIn(studentDims, axis),
      mask: mask === undefined ? undefined : named(student.graph, mask, "student"),
      target: { from: "teacher", value: taught },
    };
  });
}

function lossOf(kind: Signal["loss"], temperature: number, teacher: Graph, taught: ValueId): Loss {
  switch (kind) {
    case "divergence":
      return { kind, temperature };
    case "binary-cross-entropy":
      return { kind, targets: areShares(teacher, taught) ? "probabilities" : "scores" };
    default:
      return { kind };
  }
}

/** Nothing is named: what the teacher's outputs are made of. */
function outputSignals(
  student: Batched,
  teacher: Batched,
  labelled: ValueId | string | undefined,
): readonly Signal[] {
  const answers = answersOf(student.graph, teacher.graph, (output) => output === labelled);
  return answers.flatMap(({ value: name, teacher: counterpart }): readonly Signal[] => {
    const value = named(student.graph, name, "student");
    return lossesFor(student, value, value === labelled).map((loss) => {
      return { value: name, teacher: counterpart, loss };
    });
  });
}

/** @param hasClasses it is said which of its places is right */
function lossesFor(
  { graph, batch }: Batched,
  output: ValueId,
  hasClasses: boolean,
): readonly Signal["loss"][] {
  const { activation } = scoresBehind(graph, output);
  if (activation === "Sigmoid") return ["binary-cross-entropy"];
  if (activation !== null) return ["divergence"];
  const dims = classDims(rowDims(graph, output, batch));
  if (dims.length !== 1 || (dims[0] ?? 0) < 2) return ["mse"];
  return hasClasses ? ["divergence"] : ["divergence", "mse"];
}

/** An output of this name, or else any value. @throws PareError RECIPE */
export function named(graph: Graph, name: string, whose: "student" | "teacher"): ValueId {
  const output = graph.main.outputs.find((id) => graph.value(id).name === name);
  if (output !== undefined) return output;
  for (const { id, name: one, body, constant } of graph.allValues())
    if (one === name && body === graph.main.id && constant === undefined) return id;
  throw new PareError("RECIPE", `The ${whose} has no value "${name}".`, {
    where: "signals",
    hint: `Its outputs are ${graph.main.outputs.map((id) => graph.value(id).name).join(", ")}.`,
  });
}
