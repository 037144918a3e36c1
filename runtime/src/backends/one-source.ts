import type { StatePairs } from "../format/engine/run-sync.js";
import { PareError } from "../format/error.js";

/** @throws PareError ARGUMENT for an input that is to be two outputs at the next step */
export function demandOneSource(state: StatePairs): void {
  const inputs = Object.values(state);
  if (new Set(inputs).size < inputs.length)
    throw new PareError("ARGUMENT", "Two outputs cannot both be one input.");
}
