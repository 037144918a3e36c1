import type { MeasureProgress } from "@pare/bench";
import type { Output } from "./output.js";

/** Progress of long work whose steps are measured: each phase is said with the step it belongs to. */
export interface TwoLevelProgress {
  /** How far the whole is, of 1, and which step begins: `cpu: int8-static`. */
  readonly step: (fraction: number, what: string) => void;
  /** What is done within the step: `cpu: int8-static: accuracy 46/200`. */
  readonly phase: (progress: MeasureProgress) => void;
}

export function twoLevelProgress(output: Pick<Output, "progress">): TwoLevelProgress {
  let fraction = 0;
  let step: string | null = null;
  return {
    step(reached, what) {
      fraction = reached;
      step = what;
      output.progress(fraction, what);
    },
    phase({ target, phase, done, total }) {
      const count = total > 1 ? ` ${done}/${total}` : "";
      output.progress(fraction, `${step ?? target}: ${phase}${count}`);
    },
  };
}
