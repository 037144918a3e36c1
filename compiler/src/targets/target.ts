import type { Dtype, Precision, TargetName } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { PassContext } from "../pipeline/pass.js";

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** A way to make a target's file smaller or faster, proposed by its table and decided by measurement. */
export interface Proposal {
  /** As the report names it: `int8-static`, `fp16-weights`. */
  readonly name: string;
  readonly precision: Precision;
  /** Steps after `simplify`, as data: passes by name with their options. */
  readonly steps: readonly {
    readonly use: string;
    readonly with?: Readonly<Record<string, unknown>>;
  }[];
  /** Needs activations: calibration samples. */
  readonly needsData: boolean;
  /** Equal to the float model within rounding, or weights alone: may be written without data. */
  readonly withoutData: boolean;
  readonly session: Readonly<Record<string, unknown>>;
  readonly features: readonly "shader-f16"[];
}

export interface Target {
  readonly name: TargetName;
  /** For print: `wasm (onnxruntime-web)`. */
  readonly label: string;
  /** With the reason, from a table of real kernels. */
  supports(op: string, domain: string, types: readonly (Dtype | undefined)[]): Verdict;
  /** What is worth trying on this graph, most promising first. */
  propose(graph: Graph): readonly Proposal[];
  /** The target's own ending of every recipe: a lower opset, fused contrib operators. */
  lower(graph: Graph, context: PassContext): void | Promise<void>;
}
