import { expect, it } from "vitest";
import { bars, examplesOf } from "../../train/small-networks.test.support.js";
import { servicesOf } from "./teach.js";

it("tells how far learning is, and that it is nowhere while it measures and asks", () => {
  const told: (readonly [number, string])[] = [];
  const { onProgress, onTeacher, onMeasured } = servicesOf(
    { examples: examplesOf(bars(4)), onProgress: (done, what) => void told.push([done, what]) },
    "a test",
  );
  onMeasured?.(0.5, "calibrating");
  onTeacher?.(0.25);
  const step = { epochs: 8, samples: 4, samplesLeft: 0, accuracy: null, history: [] };
  onProgress?.({ ...step, done: 0, epoch: 0, loss: 2 });
  onProgress?.({ ...step, done: 1, epoch: 8, loss: 0.5 });
  expect(told).toEqual([
    [0, "calibrating"],
    [0, "the teacher: 25 %"],
    [0, "epoch 1 of 8, loss 2.00"],
    [1, "epoch 8 of 8, loss 0.500"],
  ]);
});
