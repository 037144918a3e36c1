import type { WorkOutput } from "../../terminal/output.js";
import type { OpenedModel } from "../../workbench/opened-model.js";
import type { OptimizeOptions } from "./optimize-options.js";

/** The circumstances of one run. */
export interface Running {
  /** What was asked for, as reports tell it. */
  readonly command: string;
  /** Milliseconds since it began: since a user waits. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly output: WorkOutput;
}

/** One run on a model that is open, into one folder. */
export interface Job {
  readonly model: OpenedModel;
  readonly folder: string;
  readonly options: OptimizeOptions;
  readonly running: Running;
}
