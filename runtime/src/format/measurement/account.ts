/** A figure before a step and after it. */
export interface Change {
  readonly before: number;
  readonly after: number;
}

/** What one step of a recipe did, by itself and whatever it is measured together with. */
export interface StepShare {
  /** The pass. */
  readonly use: string;
  /** Bytes of all constants, as they are stored. */
  readonly constantBytes: Change;
  /** Trained numbers. */
  readonly parameters: Change;
  /** Multiply-accumulates of one run: a batch that is free counts as 1, another free size as 64. Null where they cannot be counted. */
  readonly macs: Change | null;
  /** Absent where no clock was there, as in a replay. */
  readonly tookMs?: number;
  /** What the pass told of its own work; absent where it learns and cuts nothing. */
  readonly account?: PassAccount;
}

export type PassAccount = TrainingAccount | PruningAccount;

/** How a training went. */
export interface TrainingAccount {
  readonly kind: "training";
  readonly learnedFrom: readonly ("labels" | "teacher")[];
  readonly samples: number;
  readonly steps: number;
  /** Samples of one step in the end. */
  readonly batch: number;
  readonly epochCount: number;
  /** In order, the first and the last among them: all of them, or 200 at even distances. */
  readonly epochs: readonly EpochAccount[];
}

export interface EpochAccount {
  /** From 1. */
  readonly epoch: number;
  /** Mean over its batches. */
  readonly loss: number;
  /** Share of right classes among the samples that were learned from; null without classes. */
  readonly accuracy: number | null;
  /** The same of samples that were not learned from; null without. */
  readonly validation: number | null;
}

/** Which channels were cut, and why the others were not. */
export interface PruningAccount {
  readonly kind: "pruning";
  /** Of what a share was to be left, and which. */
  readonly measure: "macs" | "parameters" | "channels";
  readonly keep: number;
  /** What told which channels matter. */
  readonly importance: string;
  /** Channels that are cut together, in the model's order: all groups, or the 100 that lost most. */
  readonly groups: readonly PrunedGroup[];
  /** How many groups there are besides. */
  readonly moreGroups: number;
  /** Of layers none of whose channels, or not all, could go or had to: most channels first. */
  readonly left: readonly LeftChannels[];
}

export interface PrunedGroup {
  /** The weighted node that makes the channels, and its operator. */
  readonly node: string;
  readonly op: string;
  /** What can be cut: a channel, or so many of them at once, as an attention head has. */
  readonly units: number;
  readonly width: number;
  readonly heads: boolean;
  readonly kept: number;
  /** Most important first, 1 being the mean of the group. Of more than 32 units each is the mean of several in a row. */
  readonly importance: readonly number[];
  /** So many of `importance` are of units that were kept, the others of those that were cut. */
  readonly importanceKept: number;
  /** Numbers of the units that were cut, from 0, as ranges with both ends: the first 32 ranges. */
  readonly cut: readonly (readonly [first: number, last: number])[];
}

export interface LeftChannels {
  readonly reason: string;
  readonly layers: number;
  readonly channels: number;
}
