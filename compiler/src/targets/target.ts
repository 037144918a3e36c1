import type {
  Artifact,
  ArtifactFormat,
  Dtype,
  Precision,
  SessionOptions,
  TargetName,
} from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { StepGroup } from "../pipeline/step.js";
import type { Sizes } from "./sizes.js";

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** A way to make a target's file smaller or faster, proposed by its table and decided by measurement. */
export interface Proposal {
  /** As the report names it: `int8-static`, `fp16-weights`. */
  readonly name: string;
  readonly precision: Precision;
  /** Steps after `simplify`, measured as one. */
  readonly group: StepGroup;
  /** Equal to the float model within rounding, or weights alone: may be written without data. */
  readonly withoutData: boolean;
}

/** Why a target cannot take, or does not accelerate, some of a model's nodes. */
export interface Obstacle {
  /** Of nodes, or of what they are given: sizes that are free, types of inputs and outputs. */
  readonly of: "nodes" | "model";
  /** An operator, or a dim. */
  readonly op: string;
  readonly reason: string;
  /** What would remove it, as `--dim W=…`; not given where nothing would. */
  readonly option?: string;
  readonly count: number;
  /** Labels of nodes or inputs, at most three. */
  readonly nodes: readonly string[];
}

export interface Target {
  readonly name: TargetName;
  /** For print: `wasm (onnxruntime-web)`. */
  readonly label: string;
  /** What its engine loads, and `emit` makes. */
  readonly format: ArtifactFormat;
  /** With the reason, from a table of real kernels. */
  supports(op: string, domain: string, types: readonly (Dtype | undefined)[]): Verdict;
  /** All that stands against a graph, where it takes a whole one or none: sizes as well as nodes. */
  obstacles?(graph: Graph, sizes?: Sizes): Promise<readonly Obstacle[]>;
  /** What `emit` settles of a graph because nobody did, in a sentence; undefined where there is nothing. */
  assumption?(graph: Graph, sizes?: Sizes): string | undefined;
  /** What is worth trying on this graph. */
  propose(graph: Graph): readonly Proposal[];
  /**
   * The target's own ending: what its engine loads. The graph stays as it is.
   * @throws PareError UNSUPPORTED_OP
   */
  emit(graph: Graph, session: SessionOptions, sizes?: Sizes): Promise<Artifact>;
}
