import type { Latency, SizeBytes, TargetName } from "@pare/runtime/format";

/** How one target does; null: not known yet. */
export interface ContestRow {
  readonly target: TargetName;
  /** Engine and version, as it says in the browser. */
  readonly engine: string | null;
  /** The engine's files and the model's. */
  readonly downloadBytes: SizeBytes | null;
  /** From the model's bytes to its first result, in a fresh worker; the engine comes from this machine. */
  readonly startupMs: number | null;
  /** Of a run, on one thread; the ratio is to the first row that was timed. */
  readonly latencyMs: Latency | null;
  /** Why it has no figures. */
  readonly failure: string | null;
}

/** All that a page shows. */
export interface ContestState {
  readonly model: string;
  readonly browser: string;
  /** What goes on. */
  readonly phase: string;
  readonly isOver: boolean;
  readonly rows: readonly ContestRow[];
}

/** What the page is told: to start a worker, to end one, to show something. */
export type PageCommand =
  | { readonly kind: "start"; readonly id: number; readonly query: string }
  | { readonly kind: "end"; readonly id: number }
  | { readonly kind: "show"; readonly state: ContestState };
