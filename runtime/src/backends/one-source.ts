import type { StatePairs } from "../format/engine/run-sync.js";
import { PareError } from "../format/error.js";

/** @throws PareError ARGUMENT for an input that is to be two outputs at the next step */
export function demandOneSource(state: StatePairs): void {
  const taken = new Map<string, string>();
  for (const [output, input] of Object.entries(state)) {
    const other = taken.get(input);
    if (other !== undefined)
      throw new PareError(
        "ARGUMENT",
        `"${other}" and "${output}" cannot both be "${input}" at the next step.`,
      );
    taken.set(input, output);
  }
}
