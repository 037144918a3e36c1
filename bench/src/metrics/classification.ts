import { isTypedArray, numbersOf } from "@pare/runtime/format";
import { mean } from "../statistics/quantile.js";
import { auc } from "./auc.js";
import { type Answer, classAnswer, isDiscrete, quantityAnswer, wholeAnswer } from "./answers.js";
import { type Metric, meanOfFirst, type Row } from "./metric.js";
import { mainOutput, topClasses } from "./outputs.js";
import {
  checkRange,
  classLabel,
  classOf,
  demandComparable,
  numbersFrom,
  plain,
  readClass,
  sameClass,
  wrongLabel,
  wrongOutput,
} from "./readings.js";

function count(counts: Map<number, number>, target: number): void {
  counts.set(target, (counts.get(target) ?? 0) + 1);
}

/**
 * F1 of class 1 where all labels are 0 or 1, and no scores are of more classes; else the mean over all classes that occur.
 * Labels and numbers of scores are the same for a candidate and the float model.
 */
function f1(rows: readonly Row[], all: readonly Row[]): number {
  const hits = new Map<number, number>();
  const misses = new Map<number, number>();
  for (const [prediction = Number.NaN, label = Number.NaN] of rows) {
    if (prediction === label) count(hits, label);
    else
      for (const target of [prediction, label])
        // What is no number is of no class.
        if (!Number.isNaN(target)) count(misses, target);
  }
  const of = (target: number): number => {
    const twice = 2 * (hits.get(target) ?? 0);
    return twice === 0 ? 0 : twice / (twice + (misses.get(target) ?? 0));
  };
  const isBinary = all.every(
    ([, label, scores = 0]) => (label === 0 || label === 1) && scores <= 2,
  );
  return isBinary ? of(1) : mean([...new Set([...hits.keys(), ...misses.keys()])].map(of));
}

/** What a list or an object holds, to be compared as a whole. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isTypedArray(part) ? Array.from(part as Iterable<number | bigint>, Number) : plain(part),
  );
}

/** Of how many classes a prediction has scores; 0 where it is one itself. */
function countOf(prediction: unknown): number {
  return typeof prediction === "object" ? (numbersFrom(prediction)?.length ?? 0) : 0;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? (value.constructor?.name ?? "an object") : `a ${typeof value}`;
}

/** Of up to five classes, best first, or of scores per class. */
function firstClass(prediction: unknown): Answer {
  return classAnswer(isListOfClasses(prediction) ? prediction[0] : prediction);
}

function isListOfClasses(prediction: unknown): prediction is readonly unknown[] {
  return (
    Array.isArray(prediction) &&
    prediction.length <= 5 &&
    prediction.every((each) => isDiscrete(plain(each)))
  );
}

/** Metrics of classes and of scores that tell classes apart. */
export const classification = [
  {
    name: "top1",
    direction: "higher",
    against: "labels",
    proportion: true,
    flip: "answer",
    answer: classAnswer,
    read: readClass("top1"),
    row(prediction, truth, where) {
      const got = classOf("top1", prediction);
      const label = classLabel("top1", truth, got, where, countOf(prediction));
      checkRange("top1", prediction, label, where);
      return [sameClass(got, label) ? 1 : 0];
    },
    reduce: meanOfFirst,
  },
  {
    name: "top5",
    direction: "higher",
    against: "labels",
    proportion: true,
    flip: "answer",
    answer: firstClass,
    read: readClass("top5"),
    row(prediction, truth, where) {
      const label = classLabel("top5", truth, null, where, countOf(prediction));
      if (!isListOfClasses(prediction)) checkRange("top5", prediction, label, where);
      const scores = numbersFrom(prediction);
      const best: readonly unknown[] = isListOfClasses(prediction)
        ? prediction.map(plain)
        : scores
          ? topClasses(scores, 5)
          : [plain(prediction)];
      return [best.some((each) => sameClass(each, label)) ? 1 : 0];
    },
    reduce: meanOfFirst,
  },
  {
    name: "auc",
    direction: "higher",
    against: "labels",
    proportion: false,
    flip: "threshold",
    answer: quantityAnswer,
    read(outputs) {
      const output = mainOutput(outputs);
      const values = output && numbersOf(output);
      if (values?.length === 1) return values[0];
      if (values?.length === 2) return (values[1] as number) - (values[0] as number);
      throw wrongOutput("auc", "one score, or scores of two classes");
    },
    row(prediction, truth, where) {
      const score = numbersFrom(prediction);
      if (score?.length !== 1) throw wrongOutput("auc", "one score per sample");
      const label = Number(plain(truth));
      if (truth === null || truth === undefined || (label !== 0 && label !== 1))
        throw wrongLabel(
          "auc",
          "labels 0 and 1",
          truth,
          where,
          "Give 1 to the samples that should score high and 0 to the others. Of labels that are quantities, --metric mse tells.",
        );
      return [score[0] as number, label];
    },
    reduce: (all) =>
      auc(
        all.map((row) => row[0] as number),
        all.map((row) => row[1] as number),
      ),
  },
  {
    name: "f1",
    direction: "higher",
    against: "labels",
    proportion: false,
    flip: "answer",
    answer: classAnswer,
    read: readClass("f1"),
    row(prediction, truth, where) {
      const said = classOf("f1", prediction);
      const got = Number(said);
      const label = Number(classLabel("f1", truth, got, where, countOf(prediction)));
      if (Number.isNaN(label))
        throw wrongLabel("f1", "class numbers", truth, where, "Give labels as 0, 1, 2, …");
      if (typeof said === "string" && Number.isNaN(got))
        throw wrongOutput("f1", "class numbers", "Let `predict` return the classes' numbers, as labels are."); // prettier-ignore
      checkRange("f1", prediction, label, where);
      return [got, label, countOf(prediction)];
    },
    reduce: f1,
  },
  {
    name: "exact-match",
    direction: "higher",
    against: "labels",
    proportion: true,
    flip: "answer",
    answer: wholeAnswer,
    read(outputs) {
      const text = Object.values(outputs).find(({ type }) => type === "string");
      if (text === undefined)
        throw wrongOutput(
          "exact-match",
          "text",
          "Where labels name classes, give their numbers instead, 0, 1, 2, …, in the order of the outputs. Else export `predict(outputs, sample)` from a data module, which says what text the model gives.",
        );
      return text.data.length === 1 ? text.data[0] : text.data;
    },
    row(prediction, truth, where) {
      if (truth === null || truth === undefined)
        throw wrongLabel(
          "exact-match",
          "a label for every sample",
          truth,
          where,
          "Give each sample a `label`.",
        );
      const [got, wanted] = [plain(prediction), plain(truth)];
      if (typeof got === "object" || typeof wanted === "object") {
        if (typeof got !== typeof wanted)
          throw wrongLabel(
            "exact-match",
            "labels of the kind that predictions are",
            truth,
            where,
            `Here \`predict\` returned ${kindOf(got)}: return what labels are, or name another metric.`,
          );
        return [textOf(got) === textOf(wanted) ? 1 : 0];
      }
      demandComparable("exact-match", got, wanted, where);
      return [sameClass(got, wanted) ? 1 : 0];
    },
    reduce: meanOfFirst,
  },
  {
    name: "top1-agreement",
    direction: "higher",
    against: "float",
    proportion: true,
    flip: "answer",
    answer: classAnswer,
    read: readClass("top1-agreement"),
    row(prediction, truth) {
      return [
        sameClass(classOf("top1-agreement", prediction), classOf("top1-agreement", truth)) ? 1 : 0,
      ];
    },
    reduce: meanOfFirst,
  },
] as const satisfies readonly Metric[];
