import { expect, it } from "vitest";
import { resamples } from "./bootstrap.js";
import { groupedShare } from "./grouped-share.js";

const unitsOf = (count: number, size: number) =>
  Array.from({ length: count }, (_, unit) =>
    Array.from({ length: size }, (_sample, at) => unit * size + at),
  );

it("is as wide as so many groups leave it, however many samples they have", () => {
  const units = unitsOf(10, 200);
  const none = groupedShare(
    Array.from({ length: 2000 }, () => 0),
    units,
    resamples(units, 200, 1),
  );
  expect(none[0]).toBe(0);
  // The rule of three, for ten.
  expect(none[1]).toBeGreaterThan(0.25);
  const all = groupedShare(
    Array.from({ length: 2000 }, () => 1),
    units,
    resamples(units, 200, 1),
  );
  expect(all[0]).toBeLessThan(0.75);
  expect(all[1]).toBe(1);
});

it("is that of the groups' own shares where these differ", () => {
  const units = unitsOf(100, 20);
  // Half of the groups, whole.
  const each = units.flatMap((unit, at) => unit.map(() => at % 2));
  const [low, high] = groupedShare(each, units, resamples(units, 400, 1));
  expect(low).toBeGreaterThan(0.35);
  expect(low).toBeLessThan(0.45);
  expect(high).toBeGreaterThan(0.55);
  expect(high).toBeLessThan(0.65);
});

it("says nothing of a few groups", () => {
  const units = unitsOf(5, 10);
  expect(
    groupedShare(
      Array.from({ length: 50 }, () => 0),
      units,
      [],
    ),
  ).toEqual([0, 1]);
});
