import { elementCount, PareError } from "@pare/runtime/format";
import type { Graph, ValueId } from "../ir/index.js";
import { movesExactly, operatorOf } from "../ops/index.js";
import { rowDims } from "./bind-batch.js";
import { demandClasses, type Labels } from "./labels.js";
import type { Loss } from "./losses.js";

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
  /** None: the outputs, by divergence where they are scores of classes and else by mse. */
  readonly signals: readonly Signal[];
  readonly labels: (typeof labelLosses)[number];
}

/** A term of the loss. */
export interface Objective {
  readonly loss: Loss;
  readonly weight: number;
  readonly value: ValueId;
  /** Of one sample, without the batch. */
  readonly dims: readonly number[];
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
): readonly Objective[] {
  const taught = teacher === null ? [] : teacherObjectives(student, teacher, options, where);
  const own = labels === null || options.labels === "none" ? null : labels;
  const share = taught.length === 0 ? 0 : own === null ? 1 : options.alpha;
  const whole = taught.reduce((sum, { weight }) => sum + weight, 0) || 1;
  const objectives = [
    ...(own === null || share === 1
      ? []
      : [{ ...labelObjective(student, own, options.labels, where), weight: 1 - share }]),
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

function labelObjective(
  { graph, batch }: Batched,
  labels: Labels,
  wanted: ObjectiveOptions["labels"],
  where: string,
): Omit<Objective, "weight"> {
  const [output] = graph.main.outputs;
  if (output === undefined)
    throw new PareError("MODEL_INVALID", "The model has no output.", { where });
  const { value, activation } = scoresBehind(graph, output);
  const dims = rowDims(graph, value, batch);
  const target = { from: "labels" } as const;
  const count = elementCount(dims);
  const isOneOf = labels.kind === "classes" && count > 1;
  if (isOneOf && (wanted === "auto" || wanted === "cross-entropy")) {
    if (dims.length !== 1) {
      throw new PareError(
        "LABELS",
        `A label is one class, but the output "${graph.value(output).name}" is [${dims.join(", ")}] for a sample.`,
        { where, hint: "A class needs one score for each class: [classes]." },
      );
    }
    demandClasses(labels.values, count, where);
    return { loss: { kind: "cross-entropy", targets: "classes" }, value, dims, target };
  }
  const row = labels.kind === "classes" ? 1 : labels.row;
  if (row !== count) {
    throw new PareError(
      "LABELS",
      `A label is ${row} numbers, but the output "${graph.value(output).name}" has ${count} for a sample.`,
      { where, hint: "Give each sample a class, or as many numbers as the output has." },
    );
  }
  const kind = wanted === "auto" ? kindFor(activation, labels) : wanted;
  switch (kind) {
    case "cross-entropy":
      return { loss: { kind, targets: "probabilities" }, value, dims, target };
    case "binary-cross-entropy":
      demandShares(labels, where);
      return { loss: { kind, targets: "probabilities" }, value, dims, target };
    default:
      return { loss: { kind: "mse" }, value: output, dims: rowDims(graph, output, batch), target };
  }
}

function kindFor(
  activation: string | null,
  { kind, values }: Labels,
): "cross-entropy" | "binary-cross-entropy" | "mse" {
  if (activation === "Softmax" || activation === "LogSoftmax") return "cross-entropy";
  const isTruth = kind === "classes" && values.every((value) => value === 0 || value === 1);
  return activation === "Sigmoid" || isTruth ? "binary-cross-entropy" : "mse";
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
  { temperature, signals }: ObjectiveOptions,
  where: string,
): readonly Objective[] {
  const wanted = signals.length > 0 ? signals : outputSignals(student, teacher);
  return wanted.map(({ value: name, teacher: counterpart = name, loss, weight = 1, mask }) => {
    const own = named(student.graph, name, "student");
    const other = named(teacher.graph, counterpart, "teacher");
    const value = isOfScores(loss) ? scoresBehind(student.graph, own).value : own;
    // Probabilities are what a sigmoid's student is to reach; a softmax is taken anew, at its own temperature.
    const taught = loss === "divergence" ? scoresBehind(teacher.graph, other).value : other;
    const dims = rowDims(student.graph, value, student.batch);
    const taughtDims = rowDims(teacher.graph, taught, teacher.batch);
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

/** Is it told by what gives a value that it holds probabilities? */
function areShares(graph: Graph, value: ValueId | null | undefined): boolean {
  const node = graph.producer(value);
  const traits = node && operatorOf(node)?.traits;
  if (node === undefined || traits === undefined) return false;
  const { range: [least, most] = [-Infinity, Infinity], dataMovement, quantization } = traits;
  if (least >= 0 && most <= 1) return true;
  if (dataMovement === "joins") return node.inputs.every((input) => areShares(graph, input));
  const goesOn = movesExactly(dataMovement) || quantization !== undefined;
  return goesOn && areShares(graph, node.inputs[0]);
}

/** The student's float outputs, each with the teacher's of its name, or else of its place. */
function outputSignals(student: Batched, teacher: Batched): readonly Signal[] {
  const names = teacher.graph.main.outputs.map((id) => teacher.graph.value(id).name);
  return student.graph.main.outputs.flatMap((id, index): readonly Signal[] => {
    const { name, type } = student.graph.value(id);
    if (type.kind !== "tensor" || type.dtype !== "float32") return [];
    const counterpart = names.includes(name) ? name : names[index];
    const { activation } = scoresBehind(student.graph, id);
    const dims = rowDims(student.graph, id, student.batch);
    const isScores = activation !== null || (dims.length === 1 && (dims[0] ?? 0) > 1);
    const loss =
      activation === "Sigmoid" ? "binary-cross-entropy" : isScores ? "divergence" : "mse";
    return [{ value: name, teacher: counterpart, loss }];
  });
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

/** What a last Softmax, LogSoftmax or Sigmoid is taken of; where there is none, the value itself. */
function scoresBehind(
  graph: Graph,
  value: ValueId,
): { readonly value: ValueId; readonly activation: string | null } {
  let producer = graph.producer(value);
  while (producer?.op === "Identity") producer = graph.producer(producer.inputs[0]);
  const input = producer?.inputs[0];
  if (producer === undefined || input === null || input === undefined)
    return { value, activation: null };
  if (!["Softmax", "LogSoftmax", "Sigmoid"].includes(producer.op))
    return { value, activation: null };
  if (producer.op !== "Sigmoid") {
    const { type } = graph.value(value);
    const rank = type.kind === "tensor" ? (type.shape?.length ?? 0) : 0;
    const axis = producer.attributes.get("axis");
    const along = axis?.type === "int" ? Number(axis.value) : -1;
    if (along !== -1 && along !== rank - 1) return { value, activation: null };
  }
  return { value: input, activation: producer.op };
}
