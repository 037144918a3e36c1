import type { Splits } from "../data/splits.js";
import { spreadOrder } from "../data/spread-order.js";

/** As many samples as ranges need; more make calibration slow and ranges no better. */
const most = 200;
/** With fewer than this in the calibration split, ranges depend on which they are. */
const fewest = 20;

export interface ChosenSamples {
  /** Into the samples. */
  readonly indexes: readonly number[];
  /** What a user should know about the choice. */
  readonly note: string | null;
}

/** All that may calibrate: those that the data names, or where it names none all of them. */
export function everySample(
  { calibration, areNamed }: Pick<Splits, "calibration" | "areNamed">,
  size: number,
): ChosenSamples {
  if (areNamed) return { indexes: calibration, note: null };
  const indexes = Array.from({ length: size }, (_, index) => index);
  return { indexes, note: `All ${size} samples calibrate: measure the result on others.` };
}

/**
 * Which samples calibrate: of the calibration split, and of all of them where it is small, for nothing is measured here;
 * at most 200, spread over all of them.
 * @param size how many samples there are
 */
export function chooseSamples(
  { calibration }: Pick<Splits, "calibration">,
  size: number,
  seed: number,
): ChosenSamples {
  const own = calibration.length >= fewest;
  const all = own ? calibration : Array.from({ length: size }, (_, index) => index);
  const indexes = spreadOrder(all, seed).slice(0, most);
  const note = own
    ? null
    : `The calibration split has ${calibration.length} of ${size} samples, fewer than ${fewest}: samples of the validation and test splits calibrate too, so measure the result on others.`;
  return { indexes, note };
}
