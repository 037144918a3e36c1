import type { Artifact, TargetName, Tensors, ValueInfo } from "@pare/runtime/format";

/** What a thread with an engine is told when it starts. */
export interface ThreadData {
  readonly target: TargetName;
}

/** Each is answered, by its id. */
export type ThreadRequest =
  | {
      readonly kind: "load";
      readonly id: number;
      readonly artifact: Artifact;
      readonly threads: number;
    }
  | {
      readonly kind: "run";
      readonly id: number;
      readonly session: number;
      /** What is not named is as in the run before: memory that both sides share. */
      readonly feeds: Tensors;
      /** Shared memory for outputs, which is remembered, too. */
      readonly into: Tensors;
      /** The outputs that are written there now, and not sent. */
      readonly placed: readonly string[];
    }
  | { readonly kind: "dispose"; readonly id: number; readonly session: number }
  | { readonly kind: "close"; readonly id: number };

export interface ThreadSession {
  readonly session: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

export type ThreadReply =
  | { readonly id: number; readonly kind: "loaded"; readonly loaded: ThreadSession }
  | { readonly id: number; readonly kind: "ran"; readonly outputs: Tensors }
  | { readonly id: number; readonly kind: "done" }
  | {
      readonly id: number;
      readonly kind: "failed";
      readonly code: string;
      readonly message: string;
      readonly hint: string | null;
    };
