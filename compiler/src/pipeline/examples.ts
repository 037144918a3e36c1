import type { Executor, Tensors } from "@pare/runtime/format";
import type { Workers } from "./workers.js";

/** A sample's inputs, and what is right for them: undefined where the data has no labels. */
export interface Example {
  readonly feeds: Tensors;
  readonly label: unknown;
  /** As its user calls it, for messages. */
  readonly id?: string | undefined;
}

/**
 * The calibration split, for passes that learn, and an engine for the graphs that they make. The samples that choose
 * and test stay out of every pass's sight.
 */
export interface Examples {
  readonly executor: Executor;
  /** Engines that compute beside it; absent where there are none. */
  readonly workers?: Workers | undefined;
  readonly count: number;
  /** In an order whose every beginning lies spread over the split; starts anew at each call. */
  read(): AsyncIterable<Example>;
}
