import { describe, expect, it } from "vitest";
import { trainingAccount } from "./account.js";

const told = (count: number) =>
  trainingAccount({
    learnedFrom: ["labels"],
    samples: 64,
    steps: 4 * count,
    batch: 16,
    history: Array.from({ length: count }, (_, at) => ({
      loss: 1 / (at + 3),
      terms: [],
      accuracy: at === 0 ? null : 0.5,
      validation: null,
    })),
  });

describe("how a training went, as data", () => {
  it("is every epoch, with five digits", () => {
    expect(told(2)).toEqual({
      kind: "training",
      learnedFrom: ["labels"],
      samples: 64,
      steps: 8,
      batch: 16,
      epochCount: 2,
      epochs: [
        { epoch: 1, loss: 0.33333, accuracy: null, validation: null },
        { epoch: 2, loss: 0.25, accuracy: 0.5, validation: null },
      ],
    });
    expect(told(1).epochs).toHaveLength(1);
    expect(told(0).epochs).toEqual([]);
  });

  it.each([200, 201, 399, 10_000])("is at most 200 of %i epochs, from first to last", (count) => {
    const epochs = told(count).epochs.map(({ epoch }) => epoch);
    expect(epochs).toHaveLength(200);
    expect([epochs[0], epochs.at(-1)]).toEqual([1, count]);
    const gaps = epochs.slice(1).map((epoch, at) => epoch - (epochs[at] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(0);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
  });
});
