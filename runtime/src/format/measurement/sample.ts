import type { Feeds, Tensors } from "../tensor/tensor.js";

/** One item of the user's data. A group never straddles two splits. */
export interface Sample {
  readonly feeds: Feeds;
  readonly label?: unknown;
  readonly id?: string;
  readonly group?: string;
}

/** A sample without its feeds. */
export interface SampleInfo {
  readonly id: string;
  readonly label: unknown;
  readonly group: string | null;
}

/** A sample as kept between processes: tensors complete, id given. */
export interface StoredSample extends SampleInfo {
  readonly feeds: Tensors;
}

/** How samples that lie one after the other are the steps of sequences, through which a model keeps a state. */
export interface Sequences {
  /** By an output, the input that it is at the next step; at a sequence's first step that input is among the feeds. */
  readonly state: Readonly<Record<string, string>>;
  /** The index of the first step of the sequence that a sample is a step of. */
  startOf(index: number): number;
}

/** Reads samples by index; nothing is held that was not asked for. */
export interface SampleSet {
  readonly size: number;
  readonly labelled: boolean;
  /** Absent where each sample is a run of its own. */
  readonly sequences?: Sequences;
  sample(index: number): Promise<StoredSample>;
  /** What is asked most often, and costs little: the feeds are not read. */
  info(index: number): Promise<SampleInfo>;
}
