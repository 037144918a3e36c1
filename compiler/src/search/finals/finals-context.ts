import type { SearchRecord } from "../record/record.js";
import type { OptimizeRequest } from "../request.js";
import type { TargetState } from "../trial/target-state.js";

/** What the end of a search needs to know of a target. */
export interface FinalsContext {
  readonly request: OptimizeRequest;
  readonly state: TargetState;
  readonly record: SearchRecord;
  readonly validation: number;
  /** On how many more samples there is time for another candidate. */
  readonly affordable: () => number;
  /** Whether the time is up: what is published is then timed no longer than what a candidate is screened by. */
  readonly isLate: () => boolean;
  readonly limitMs: number;
  readonly say: (what: string) => void;
}

/** And once the finalists are ranked. */
export interface TestContext extends FinalsContext {
  /** Test samples that are looked at: fixed before they are. */
  readonly test: number;
}
