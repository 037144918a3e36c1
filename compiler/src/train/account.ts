import type { EpochAccount, TrainingAccount } from "@pare/runtime/format";
import type { Trained } from "./train-request.js";

/** As many points as a curve needs. */
const mostEpochs = 200;

/** How a training went, as data. */
export function trainingAccount({
  learnedFrom,
  samples,
  steps,
  batch,
  history,
}: Omit<Trained, "learned">): TrainingAccount {
  const epochs = evenly(history.length).flatMap((index): readonly EpochAccount[] => {
    const facts = history[index];
    if (facts === undefined) return [];
    const { loss, accuracy, validation } = facts;
    return [
      {
        epoch: index + 1,
        loss: figure(loss),
        accuracy: accuracy === null ? null : figure(accuracy),
        validation: validation === null ? null : figure(validation),
      },
    ];
  });
  return {
    kind: "training",
    learnedFrom,
    samples,
    steps,
    batch,
    epochCount: history.length,
    epochs,
  };
}

/** Five digits. */
function figure(value: number): number {
  return Number(value.toPrecision(5));
}

/** Indices from the first to the last, at even distances where all would be too many. */
function evenly(count: number): readonly number[] {
  const told = Math.min(count, mostEpochs);
  return Array.from({ length: told }, (_, index) =>
    told === 1 ? 0 : Math.round((index * (count - 1)) / (told - 1)),
  );
}
