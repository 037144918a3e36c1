import type { Executor } from "@pare/runtime/format";

/** Engines beside that of the samples, which compute at the same time as it and as one another. */
export interface Workers {
  /** How many pay on this machine at most, the engine of the samples counted. */
  readonly most: number;
  /** @param count without the engine of the samples */
  open(count: number): Promise<OpenWorkers>;
}

export interface OpenWorkers {
  readonly executors: readonly Executor[];
  close(): Promise<void>;
}
