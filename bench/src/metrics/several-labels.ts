import { quantityAnswer } from "./answers.js";
import type { Metric, Row } from "./metric.js";
import { mainOutput } from "./outputs.js";
import { numbersFrom, readNumbers, wrongLabel, wrongOutput } from "./readings.js";

/** By so much a probability that was rounded may lie beyond its ends. */
const rounding = 0.01;

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
      if (output === null) throw wrongOutput("mean-iou", "scores per class for each place");
      return output;
    },
    row(prediction, truth, where) {
      const wanted = numbersFrom(truth);
      const values = numbersFrom(prediction);
      if (values === null) throw wrongOutput("mean-iou", "scores per class for each place");
      const classes = wanted === null ? 0 : values.length / wanted.length;
      if (wanted === null || !Number.isInteger(classes) || classes < 2)
        throw wrongLabel("mean-iou", "a class for each place of the output's map", truth, where, "Give each sample a list of classes: as many as the map has places."); // prettier-ignore
      const places = wanted.length;
      const classesLast =
        dimsOf(prediction)[1] !== classes && dimsOf(prediction).at(-1) === classes;
      const counts = Array.from({ length: 2 * classes }, () => 0);
      const add = (index: number): void => {
        counts[index] = (counts[index] ?? 0) + 1;
      };
      for (let place = 0; place < places; place++) {
        const label = wanted[place] as number;
        if (label < 0 || label >= classes) continue;
        let best = 0;
        const score = (one: number): number =>
          values[classesLast ? place * classes + one : one * places + place] as number;
        for (let one = 1; one < classes; one++) if (score(one) > score(best)) best = one;
        // What is no number is of no class.
        const isSaid = !Number.isNaN(score(best));
        if (isSaid && best === label) add(2 * label);
        if (isSaid && best !== label) add(2 * best + 1);
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

/** Of a tensor; of a list none. */
function dimsOf(prediction: unknown): readonly unknown[] {
  const isObject = typeof prediction === "object" && prediction !== null;
  return isObject && "dims" in prediction && Array.isArray(prediction.dims) ? prediction.dims : [];
}

function sumOf(rows: readonly Row[], index: number): number {
  return rows.reduce((sum, row) => sum + (row[index] ?? 0), 0);
}
