import type { Tensors } from "@pare/runtime/format";
import type { RawSample } from "./raw-sample.js";

/** Where a stored sample lies, so that the module's process reads it from disk instead of being sent it again. */
export interface StoredAt {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly id: string;
  readonly group: string | null;
}

export type ModuleRequest =
  | { readonly kind: "open"; readonly url: string }
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
  readonly predicts: boolean;
  readonly scores: boolean;
}

export interface ModuleReplies {
  readonly open: ModuleDescription;
  readonly next: { readonly samples: readonly RawSample[]; readonly done: boolean };
  readonly predict: unknown;
  readonly score: number | Readonly<Record<string, number>>;
  readonly reduce: readonly number[];
}

/** What went wrong in the module: its own words, and the line of its own that it came from. */
export interface ModuleProblem {
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

/** A stored sample's record on disk. `bare` names the feeds that were given without type and dims. */
export interface SampleRecord {
  readonly feeds: Tensors;
  readonly label: unknown;
  readonly bare: readonly string[];
  readonly extra: Readonly<Record<string, unknown>>;
}
