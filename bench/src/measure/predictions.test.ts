import { expect, it } from "vitest";
import { Predictions, Room } from "./predictions.js";

it("tells what a sample takes by those after the first, until they tell", () => {
  const predictions = new Predictions(new Room());
  expect(predictions.sampleMs).toBeNull();
  predictions.took(150, 1);
  expect(predictions.sampleMs).toBe(150);
  predictions.took(100, 1);
  expect(predictions.sampleMs).toBe(100);
  predictions.took(600, 9);
  expect(predictions.sampleMs).toBe(70);
  predictions.took(9000, 1);
  expect(predictions.sampleMs).toBe(70);
});

it("takes over what an earlier run told", () => {
  const predictions = new Predictions(new Room(), { sampleMs: 3, kept: [] });
  predictions.took(100, 1);
  expect(predictions.sampleMs).toBe(3);
});
