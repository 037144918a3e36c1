import type { BindShapesOptions } from "@pare/compiler";
import type { Feeds, ValueInfo } from "@pare/runtime/format";

/** A sample as a reader found it: not yet held against the model's inputs. */
export interface RawSample {
  readonly feeds: Feeds;
  /** Absent where there is none. */
  readonly label?: unknown;
  readonly id?: string;
  readonly group?: string;
  /** The sequence that it is a step of, by its id: that of the step before it, where it is not the first. */
  readonly sequence?: string;
  /** Further fields that a data module gave its samples, for its own `predict` and `score`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** What samples are held against. */
export interface SampleModel {
  readonly inputs: readonly ValueInfo[];
  /** Inputs that became constants, with their numbers. */
  readonly constants?: BindShapesOptions["constants"];
}

/** What a reader gives: how many samples there will be, where it knows, and the samples, one after the other. */
export interface RawSamples {
  /** What a user may have meant otherwise, in a sentence; asked when all samples are read. */
  readonly caveat?: () => string | null;
  readonly count: number | null;
  readonly samples: AsyncIterable<RawSample>;
}
