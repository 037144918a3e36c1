import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { gruCell } from "./gru-cell.js";
import { laneCount, vectorsOf } from "./kernel.js";
import { cellFunction, differenceOf, operands, seed, size } from "./kernel-case.test.support.js";

it("makes a GRU's state of its gates as its reference does", () => {
  const problem = fc.record({
    items: size(1, 4),
    hidden: size(1, 23),
    resetsProduct: fc.boolean(),
    gate: cellFunction,
    candidate: cellFunction,
    seed,
  });
  fc.assert(
    fc.property(problem, ({ items, seed: s, ...cell }) => {
      const { hidden } = cell;
      const gates = 3 * vectorsOf(hidden) * laneCount * 4;
      const options = {
        batch: [{ count: items, steps: [gates, 4, 8, hidden * 4] }],
        ...cell,
      };
      expect(differenceOf(gruCell, options, operands(4), s)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});
