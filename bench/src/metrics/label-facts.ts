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
}

/** Null where there are none, or labels are no numbers, or not as many each. */
export function labelFacts(labels: Iterable<unknown>): LabelFacts | null {
  let row = 0;
  let most = 0;
  let areClasses = true;
  let areTruths = true;
  for (const label of labels) {
    const numbers = numbersFrom(plain(single(label)));
    if (numbers === null || numbers.length === 0) return null;
    if (row !== 0 && numbers.length !== row) return null;
    row = numbers.length;
    for (let at = 0; at < row; at++) {
      const number = numbers[at] as number;
      most = Math.max(most, number);
      areClasses &&= Number.isInteger(number) && number >= 0;
      areTruths &&= number === 0 || number === 1;
    }
  }
  return row === 0 ? null : { row, most, areClasses, areTruths };
}

/** Outputs of floats that labels may be of: those that have just as many numbers or classes, or else those that have enough. */
export function labelledOutputs(outputs: Tensors, facts: LabelFacts): readonly string[] {
  const fits = Object.entries(outputs).flatMap(([name, output]) => {
    const fit = isFloat(output) ? fitOf(numbersOf(output)?.length ?? 0, facts) : 0;
    return fit === 0 ? [] : [{ name, fit }];
  });
  const best = Math.max(0, ...fits.map(({ fit }) => fit));
  return fits.flatMap(({ name, fit }) => (fit === best ? [name] : []));
}

function fitOf(count: number, { row, most, areClasses }: LabelFacts): number {
  if (row === 1 && areClasses) return count === most + 1 ? 2 : count > most ? 1 : 0;
  if (count === row) return 2;
  return row > 1 && areClasses && isMapOf(count, row, most) ? 1 : 0;
}

/** Has an output scores of more classes than there are, for each place of a map? */
export function isMapOf(count: number, places: number, most: number): boolean {
  const classes = count / places;
  return Number.isInteger(classes) && classes > 1 && classes > most;
}
