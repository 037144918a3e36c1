import type { TrainingProgress } from "@pare/compiler";
import { expect, it } from "vitest";
import type { WorkOutput } from "../../terminal/output.js";
import { durationText, TrainingReport } from "./training-report.js";

function told(steps: readonly (readonly [ms: number, given: Partial<TrainingProgress>])[]): {
  readonly notes: readonly string[];
  readonly shown: readonly string[];
} {
  const [notes, shown]: [string[], string[]] = [[], []];
  let now = 0;
  const output: WorkOutput = {
    note: (line) => void notes.push(line),
    detail: () => {},
    progress: (_, what) => void shown.push(what),
  };
  const report = new TrainingReport(output, () => now);
  for (const [ms, given] of steps) {
    now = ms;
    report.progress({
      done: 0,
      epoch: 0,
      epochs: 2,
      samples: 0,
      samplesLeft: 20_000,
      loss: 1,
      accuracy: null,
      history: [],
      ...given,
    });
  }
  return { notes, shown };
}

it("says how long it will take from the steps after the first, which opens the engine", () => {
  const { notes, shown } = told([
    [9_000, { samples: 32 }],
    [9_400, { samples: 432, samplesLeft: 19_600 }],
    [10_000, { samples: 1_032, samplesLeft: 19_000, accuracy: 0.5 }],
    [12_000, { samples: 3_032, samplesLeft: 17_000 }],
  ]);
  expect(notes).toEqual([
    "It will take 19 s: 19.0 k samples are to be learned from, 1000 a second.",
  ]);
  expect(shown[0]).toBe("epoch 1/2, loss 1.00");
  expect(shown[2]).toBe("epoch 1/2, loss 1.00, 50.0 % right, 1000 samples/s, 19 s left");
});

it("says each epoch once, with what there is to say", () => {
  const first = { loss: 0.5, terms: [0.5], accuracy: null, validation: null };
  const second = { loss: 0.25, terms: [0.25], accuracy: 0.9, validation: 0.875 };
  const { notes } = told([
    [0, { history: [first] }],
    [1, { history: [first] }],
    [2, { history: [first, second] }],
  ]);
  expect(notes).toEqual([
    "Epoch 1 of 2: loss 0.500.",
    "Epoch 2 of 2: loss 0.250, 90.0 % right while learning, 87.5 % right of the validation samples.",
  ]);
});

it.each([
  [0.2, "1 s"],
  [89, "89 s"],
  [600, "10 min"],
  [3 * 3600 + 300, "3 h 5 min"],
  [Number.NaN, "an unknown time"],
])("%d seconds are %s", (seconds, text) => expect(durationText(seconds)).toBe(text));
