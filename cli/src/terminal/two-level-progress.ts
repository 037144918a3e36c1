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

/** @param now milliseconds since the command began */
export function twoLevelProgress(
  output: Pick<Output, "progress">,
  now: () => number = () => performance.now(),
): TwoLevelProgress {
  let last: SearchProgress = { fraction: 0, endMs: Infinity, what: "", best: null };
  let shown = 0;
  const show = (what: string): void => {
    shown = Math.max(shown, last.fraction, Math.min(0.99, now() / last.endMs));
    output.progress(shown, last.best === null ? what : `${what} | best: ${last.best}`);
  };
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
