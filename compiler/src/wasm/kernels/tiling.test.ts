import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { size } from "./kernel-case.test.support.js";
import { alike, listedTiles, tableOf } from "./tiling.js";

const placesIn = (tiles: readonly { readonly size: number; readonly count: number }[]): number =>
  tiles.reduce((sum, tile) => sum + tile.size * tile.count, 0);

it("cuts rows into tiles that hold every column once, and lists into tiles that hold every place", () => {
  fc.assert(
    fc.property(size(1, 600), size(1, 12), (places, most) => {
      const row = alike(places, most);
      expect(placesIn(row)).toBe(places);
      const list = listedTiles(places, most);
      expect(placesIn(list)).toBeGreaterThanOrEqual(places);
      const table = tableOf({ count: 1, steps: [0, 0] }, { count: places, steps: [4, 8] }, false);
      expect(placesIn(list)).toBeLessThanOrEqual(table.length / 2);
      for (const tile of [...row, ...list]) expect(tile.size).toBeLessThanOrEqual(most);
    }),
    { numRuns: cases(300) },
  );
});

it("computes few places twice for all tiles to be whole", () => {
  expect(listedTiles(256, 6)).toEqual([{ size: 6, count: 43 }]);
  expect(listedTiles(64, 6)).toEqual([
    { size: 6, count: 9 },
    { size: 5, count: 2 },
  ]);
  expect(alike(160, 6)).toEqual([{ size: 5, count: 32 }]);
});

it("lists the places of a map row by row, and the last again", () => {
  const table = tableOf({ count: 2, steps: [100, 40] }, { count: 3, steps: [10, 4] }, false);
  expect(Array.from(table.subarray(0, 14))).toEqual([
    0, 0, 10, 4, 20, 8, 100, 40, 110, 44, 120, 48, 120, 48,
  ]);
});
