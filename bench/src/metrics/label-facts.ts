import { numbersOf, type Tensors } from "@pare/runtime/format";
import { isFloat } from "./outputs.js";
import { numbersFrom, plain, single } from "./readings.js";

/** What labels of numbers have in common. */
export interface LabelFacts {
  /** How many numbers each is. */
  readonly row: number;
  readonly most: number;
  /** Whole numbers from 0. */
  readonly areClasses: boolean;
  /** All are 0 or 1. */
  readonly areTruths: boolean;
  /** Each is 1 at one place, and 0 at all others. */
  readonly areOneHot: boolean;
}

/** Null where there are none, or labels are no numbers, or not as many each. */
export function labelFacts(labels: Iterable<unknown>): LabelFacts | null {
  let row = 0;
  let most = 0;
  let areClasses = true;
  let areTruths = true;
  let areOneHot = true;
  for (const label of labels) {
    const numbers = numbersFrom(plain(single(label)));
    if (numbers === null || numbers.length === 0) return null;
    if (row !== 0 && numbers.length !== row) return null;
    row = numbers.length;
    let ones = 0;
    for (let at = 0; at < row; at++) {
      const number = numbers[at] as number;
      if (number === 1) ones++;
      // No class, where one says of a place that it counts for none.
      if (row > 1 && number === voidClass) continue;
      most = Math.max(most, number);
      areClasses &&= Number.isInteger(number) && number >= 0;
      areTruths &&= number === 0 || number === 1;
    }
    areOneHot &&= areTruths && row > 1 && ones === 1;
  }
  return row === 0 ? null : { row, most, areClasses, areTruths, areOneHot };
}

/** By which a place of a map is left out: of no class. */
export const voidClass = 255;

/** Outputs of floats that labels may be of: first those that have just as many numbers or classes, then those that have enough. */
export function labelledOutputs(
  outputs: Tensors,
  facts: LabelFacts,
): { readonly best: readonly string[]; readonly others: readonly string[] } {
  const fits = Object.entries(outputs).flatMap(([name, output]) => {
    const fit = isFloat(output) ? fitOf(output, facts) : isClassMap(output, facts) ? 2 : 0;
    return fit === 0 ? [] : [{ name, fit }];
  });
  const most = Math.max(0, ...fits.map(({ fit }) => fit));
  const named = (isBest: boolean): readonly string[] =>
    fits.flatMap(({ name, fit }) => ((fit === most) === isBest ? [name] : []));
  return { best: named(true), others: named(false) };
}

function fitOf(output: Tensors[string], { row, most, areClasses }: LabelFacts): number {
  const count = numbersOf(output)?.length ?? 0;
  if (row === 1 && areClasses) {
    // One class is none of a map.
    if (output.dims.filter((size) => size !== 1).length > 1) return 0;
    return count === most + 1 ? 2 : count > most ? 1 : 0;
  }
  if (count === row) return 2;
  return row > 1 && areClasses && isMapOf(count, row, most) ? 1 : 0;
}

/** Is an output a class itself for each place of a map, as ArgMax gives them? */
export function isClassMap(
  output: Tensors[string],
  { row, areClasses, areTruths }: LabelFacts,
): boolean {
  const isMap = output.dims.filter((size) => size !== 1).length > 1;
  const areWhole = !isFloat(output) && numbersOf(output)?.length === row;
  return areWhole && areClasses && row > 1 && (isMap || !areTruths);
}

/** Has an output scores of more classes than `most`, for each place of a map? */
export function isMapOf(count: number, places: number, most = 0): boolean {
  const classes = count / places;
  return Number.isInteger(classes) && classes > 1 && classes > most;
}
