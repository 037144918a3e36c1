import { expect, it } from "vitest";
import { CheckpointPace } from "./checkpoint-pace.js";

it("is due every twenty seconds, and less often where passing one on takes long", () => {
  let now = 0;
  const pace = new CheckpointPace(() => now);
  const isDueAt = (ms: number): boolean => {
    now = ms;
    return pace.isDue;
  };
  expect(isDueAt(19_999)).toBe(false);
  expect(isDueAt(20_000)).toBe(true);
  pace.pass(() => (now += 100));
  expect(isDueAt(40_099)).toBe(false);
  expect(isDueAt(40_100)).toBe(true);
  // Two seconds are a fiftieth of a hundred.
  pace.pass(() => (now += 2_000));
  expect(isDueAt(142_099)).toBe(false);
  expect(isDueAt(142_100)).toBe(true);
});
