import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { holdState } from "./hold-state.js";
import { differenceOf, operands, seed, size } from "./kernel-case.test.support.js";

it("holds the states of sequences that have ended as its reference does", () => {
  const problem = fc.record({ items: size(1, 5), hidden: size(1, 23), seed });
  fc.assert(
    fc.property(problem, ({ items, hidden, seed: s }) => {
      const batch = [{ count: items, steps: [4, hidden * 4 + 8, hidden * 4] }];
      expect(differenceOf(holdState, { batch, hidden }, operands(4), s)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});
