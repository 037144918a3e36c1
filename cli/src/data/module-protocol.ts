import type { Tensors } from "@pare/runtime/format";
import type { SampleModel } from "./raw-sample.js";
import type { StoredAt, WrittenSample } from "./sample-writer.js";

export type ModuleRequest =
  | { readonly kind: "open"; readonly url: string }
  /** Where its samples are to be written, and what they are for. */
  | { readonly kind: "store"; readonly file: string; readonly model: SampleModel }
  | { readonly kind: "next" }
  | { readonly kind: "predict"; readonly outputs: Tensors; readonly sample: StoredAt }
  | {
      readonly kind: "score";
      readonly outputs: Tensors;
      readonly sample: StoredAt;
      readonly float: Tensors;
    }
  | {
      readonly kind: "reduce";
      readonly predictions: readonly unknown[];
      readonly labels: readonly unknown[];
      readonly picks: readonly ArrayLike<number>[];
    };

/** What a module exports, as its process describes it. */
export interface ModuleDescription {
  readonly splits: unknown;
  readonly metric: { readonly name: string; readonly direction: "higher" | "lower" } | null;
  /** By an output, the input that it is at the next step of a sequence; null where the model has no state. */
  readonly state: Readonly<Record<string, string>> | null;
  readonly predicts: boolean;
  readonly scores: boolean;
}

export interface ModuleReplies {
  readonly open: ModuleDescription;
  readonly store: null;
  readonly next: { readonly samples: readonly WrittenSample[]; readonly done: boolean };
  readonly predict: unknown;
  readonly score: number | Readonly<Record<string, number>>;
  readonly reduce: readonly number[];
}

/** What went wrong in the module: its own words, and the line of its own that it came from. */
export interface ModuleProblem {
  /** Of what was thrown while its samples were written; null for what the module did itself. */
  readonly code: string | null;
  readonly message: string;
  readonly where: string | null;
  readonly hint: string | null;
  readonly syntax: boolean;
}

export interface ModuleCall {
  readonly id: number;
  readonly request: ModuleRequest;
}

export type ModuleReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly problem: ModuleProblem };
