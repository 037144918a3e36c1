import { quantityAnswer } from "./answers.js";
import { voidClass } from "./label-facts.js";
import type { Metric, Row } from "./metric.js";
import { mainOutput } from "./outputs.js";
import { numbersFrom, outOfRange, readNumbers, wrongLabel, wrongOutput } from "./readings.js";

/** By so much a probability that was rounded may lie beyond its ends. */
const rounding = 0.01;

const mapNeeds = "scores per class for each place, or a class";
/** Numbers from here on are none of classes, and would be counted each. */
const mostClasses = 2 ** 16;

/** Metrics of samples that have several labels each. */
export const severalLabels = [
  {
    name: "labels-right",
    direction: "higher",
    against: "labels",
    proportion: false,
    flip: "none",
    answer: quantityAnswer,
    read: readNumbers,
    row(prediction, truth, where) {
      const [got, wanted] = [numbersFrom(prediction), numbersFrom(truth)];
      if (got === null) throw wrongOutput("labels-right", "a score for each label");
      if (wanted?.length !== got.length)
        throw wrongLabel("labels-right", `${got.length} of 0 or 1`, truth, where, "Give each sample a list: 1 for each label that it has, and 0 for the others."); // prettier-ignore
      let [aboveZero, aboveHalf, isOutside] = [0, 0, 0];
      for (let at = 0; at < got.length; at++) {
        const [score, label] = [got[at] as number, (wanted[at] as number) > 0.5];
        // What is no number says nothing, and is wrong.
        if (Number.isNaN(score)) continue;
        if (score > 0 === label) aboveZero++;
        if (score > 0.5 === label) aboveHalf++;
        if (score < -rounding || score > 1 + rounding) isOutside = 1;
      }
      return [aboveZero, aboveHalf, got.length, isOutside];
    },
    reduce(rows, all) {
      // One score that is no probability tells that none is.
      const right = all.some(([, , , isOutside]) => isOutside === 1) ? 0 : 1;
      return sumOf(rows, right) / Math.max(1, sumOf(rows, 2));
    },
  },
  {
    name: "mean-iou",
    direction: "higher",
    against: "labels",
    proportion: false,
    flip: "none",
    answer: quantityAnswer,
    read(outputs) {
      const output = mainOutput(outputs);
      if (output === null) throw wrongOutput("mean-iou", mapNeeds);
      return output;
    },
    row(prediction, truth, where) {
      const wanted = numbersFrom(truth);
      const values = numbersFrom(prediction);
      if (values === null) throw wrongOutput("mean-iou", mapNeeds);
      const scored = wanted === null ? 0 : values.length / wanted.length;
      const areClasses = scored === 1 && areWhole(values);
      const dims = dimsOf(prediction);
      const layout = areClasses ? null : layoutOf(dims, scored);
      if (wanted === null || !(areClasses || layout !== null))
        throw wrongLabel("mean-iou", `a class for each place of the output's map${dims.length === 0 ? "" : `, [${dims.join(", ")}]`}`, wanted === null ? truth : `${wanted.length} number(s)`, where, "Give each sample a list of classes: as many as the map has places."); // prettier-ignore
      const classes = areClasses ? mostClasses : scored;
      const said = layout === null ? values : bestOf(values, classes, layout);
      const counts: number[] = [];
      const add = (index: number): void => {
        while (counts.length <= index) counts.push(0);
        counts[index] = (counts[index] ?? 0) + 1;
      };
      for (let place = 0; place < wanted.length; place++) {
        const label = wanted[place] as number;
        const isVoid = label === voidClass && (areClasses || classes <= voidClass);
        if (label < 0 || isVoid) continue;
        if (!Number.isInteger(label) || label >= classes)
          throw outOfRange("mean-iou", classes, label, where);
        const best = said[place] as number;
        if (best >= mostClasses) throw wrongOutput("mean-iou", mapNeeds);
        if (best === label) add(2 * label);
        // What is no number, or below 0, is of no class.
        else if (best >= 0) add(2 * best + 1);
        add(2 * label + 1);
      }
      return counts;
    },
    reduce(rows) {
      const length = rows.reduce((most, row) => Math.max(most, row.length), 0);
      const shares: number[] = [];
      for (let at = 0; at < length; at += 2) {
        const union = sumOf(rows, at + 1);
        if (union > 0) shares.push(sumOf(rows, at) / union);
      }
      return shares.length === 0
        ? 0
        : shares.reduce((sum, share) => sum + share, 0) / shares.length;
    },
  },
] as const satisfies readonly Metric[];

function areWhole(values: ArrayLike<number>): boolean {
  return Array.prototype.every.call(values, Number.isInteger);
}

type Layout = "classes first" | "classes last";

/** Where so many classes lie, by the axis that has as many; a list has none, and its classes come first. Null where none has. */
function layoutOf(dims: readonly unknown[], classes: number): Layout | null {
  if (!(Number.isInteger(classes) && classes > 1)) return null;
  const [first] = dims.filter((size) => size !== 1);
  if (dims.length === 0 || dims[1] === classes) return "classes first";
  if (dims.at(-1) === classes) return "classes last";
  return first === classes ? "classes first" : null;
}

/** The class that scores best at each place; NaN where that is no number. */
function bestOf(values: ArrayLike<number>, classes: number, layout: Layout): Float64Array {
  const places = values.length / classes;
  const classesLast = layout === "classes last";
  return Float64Array.from({ length: places }, (_, place) => {
    const score = (one: number): number =>
      values[classesLast ? place * classes + one : one * places + place] as number;
    let best = 0;
    for (let one = 1; one < classes; one++) if (score(one) > score(best)) best = one;
    return Number.isNaN(score(best)) ? Number.NaN : best;
  });
}

/** Of a tensor; of a list none. */
function dimsOf(prediction: unknown): readonly unknown[] {
  const isObject = typeof prediction === "object" && prediction !== null;
  return isObject && "dims" in prediction && Array.isArray(prediction.dims) ? prediction.dims : [];
}

function sumOf(rows: readonly Row[], index: number): number {
  return rows.reduce((sum, row) => sum + (row[index] ?? 0), 0);
}
