import type { SampleSet } from "@pare/runtime/format";

/** What is to be run for some samples. */
export interface InSequence {
  readonly indexes: readonly number[];
  /** By what is run, where it stands among the samples that were asked for; null for a step that only leads to one. */
  readonly positions: readonly (number | null)[];
}

/**
 * Samples in an order in which every step of a sequence comes behind the one before it, from the sequence's first on:
 * those that were asked for, and the steps that lead to them.
 */
export function inSequence(
  asked: readonly number[],
  { sequences }: Pick<SampleSet, "sequences">,
): InSequence {
  if (sequences === undefined) return { indexes: asked, positions: [...asked.keys()] };
  const places = new Map(asked.map((index, position) => [index, position]));
  const indexes: number[] = [];
  const positions: (number | null)[] = [];
  for (const index of [...asked].sort((one, other) => one - other)) {
    const start = sequences.startOf(index);
    const last = indexes.at(-1) ?? -1;
    for (let step = last >= start ? last + 1 : start; step <= index; step += 1) {
      indexes.push(step);
      positions.push(places.get(step) ?? null);
    }
  }
  return { indexes, positions };
}

/** The same samples, each as a run of its own: steps of sequences as their feeds have them. */
export function singly(samples: SampleSet): SampleSet {
  if (samples.sequences === undefined) return samples;
  return {
    size: samples.size,
    labelled: samples.labelled,
    sample: (index) => samples.sample(index),
    info: (index) => samples.info(index),
  };
}
