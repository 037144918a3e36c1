import type {
  Accuracy,
  Artifact,
  Precision,
  SessionOptions,
  SizeBytes,
  StepShare,
  TargetName,
  TryOut,
} from "@pare/runtime/format";
import type { Statistics } from "../calibrate/measured-activations.js";
import type { Graph } from "../ir/index.js";
import type { StepGroup } from "../pipeline/step.js";
import type { Gain } from "../targets/gains.js";
import type { Relative } from "./verdict/verdict.js";

/** The float model on an engine: what candidates are looked at beside, and asked where they say the same. */
export interface FloatAnswers {
  readonly artifact: Artifact;
  readonly target: TargetName;
}

/** A graph on its way to a file: the groups that made it, and the numbers that its bytes rest on. */
export interface State {
  readonly graph: Graph;
  readonly groups: readonly StepGroup[];
  readonly precision: Precision;
  readonly statistics: Statistics;
  /** What each step of these groups did, in their order. */
  readonly shares: readonly StepShare[];
}

/** A file that can be measured. */
export interface Made extends State {
  readonly name: string;
  /** As it was written: with what every file of the recipe ends with. */
  readonly written: State;
  readonly artifact: Artifact;
  readonly identity: string;
}

/** A file with what was measured of it on the way. */
export interface Tried extends Made {
  readonly tryOut: TryOut;
  readonly size: SizeBytes;
  /** Against the model as its user has it; null where nothing is timed. */
  readonly latency: Relative | null;
  readonly accuracy: Accuracy | null;
}

/** A way to a file that may be tried. */
export interface Planned {
  readonly target: TargetName;
  /** As the report names it. */
  readonly name: string;
  readonly precision: Precision;
  readonly group: StepGroup;
  readonly session: SessionOptions;
  /** Of the recipe itself, in its order, each judged against what the recipe came to before; else from a table. */
  readonly first: boolean;
  readonly needsData: boolean;
  /** Whether it looks at activations, which takes a run of each calibration sample. */
  readonly calibrates: boolean;
  /** An earlier lock chose it: it is tried before the others. */
  readonly asBefore: boolean;
  /** What the tables expect of it. */
  readonly expected: Gain | null;
  readonly prefer: "latency" | "size";
  /** Runs of the float model on one sample that learning takes, once for all targets; 0 where nothing is learned. */
  readonly learningRuns: number;
  /** What it takes besides being made and measured. */
  readonly extraMs: number;
}

/** What the model is called before anything is done to its numbers. */
export const floatName = "float";

/** How far a candidate was looked at. */
export type TriedAs = "not" | "screened" | "decided";
