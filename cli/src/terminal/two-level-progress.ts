import type { MeasureProgress } from "@pare/bench";
import type { SearchProgress } from "@pare/compiler";
import type { Output } from "./output.js";

/** Progress of long work whose steps are measured: each phase is said with the step it belongs to. */
export interface TwoLevelProgress {
  /** How far the whole is, which step begins, and what is best so far. */
  readonly step: (progress: SearchProgress) => void;
  /** What is done within the step: `cpu: int8-static: accuracy 46/200`. */
  readonly phase: (progress: MeasureProgress) => void;
}

export function twoLevelProgress(output: Pick<Output, "progress">): TwoLevelProgress {
  let last: SearchProgress = { fraction: 0, what: "", best: null };
  const show = (what: string): void =>
    output.progress(last.fraction, last.best === null ? what : `${what} | best: ${last.best}`);
  return {
    step(progress) {
      last = progress;
      show(progress.what);
    },
    phase({ target, phase, done, total }) {
      const count = total > 1 ? ` ${done}/${total}` : "";
      show(`${last.what === "" ? target : last.what}: ${phase}${count}`);
    },
  };
}
