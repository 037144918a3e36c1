import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { atMost } from "./at-most.js";
import { elementBytes } from "./element.js";
import { differenceOf, operandBytes, operands, seed, size } from "./kernel-case.test.support.js";
import { nonZero } from "./non-zero.js";

it("finds what its reference finds: types, axes in any order, none and all", () => {
  const problem = fc.record({
    element: fc.constantFrom("f32" as const, "i32" as const, "i64" as const),
    counts: fc.array(size(1, 5), { minLength: 1, maxLength: 3 }),
    turned: fc.boolean(),
    besideOneAnother: fc.boolean(),
    /** Of how many elements one is not 0. */
    every: fc.constantFrom(1, 2, 5, 1000),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ element, counts, turned, every, ...p }) => {
      let step = elementBytes[element];
      const axes = counts.map((count) => {
        const axis = { count, step };
        step *= count;
        return axis;
      });
      if (!turned) axes.reverse();
      const most = counts.reduce((product, count) => product * count, 1);
      const steps = p.besideOneAnother
        ? { rowStep: 8 * counts.length, axisStep: 8 }
        : { rowStep: 8, axisStep: 8 * most };
      const at = operands(3);
      const prepare = (integers: Int32Array): void => {
        const [from = 0] = at;
        const words = elementBytes[element] / 4;
        for (let word = 0; word < operandBytes / 4 - 16; word += 1)
          if (Math.floor(word / words) % every !== every - 1) integers[from / 4 + word] = 0;
      };
      const options = { element, axes, ...steps };
      expect(differenceOf(nonZero, options, at, p.seed, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(200) },
  );
});

it("keeps a count below a number", () => {
  const problem = fc.record({ count: size(0, 9), most: size(0, 9), seed });
  fc.assert(
    fc.property(problem, ({ count, most, ...p }) => {
      const at = operands(2);
      const prepare = (integers: Int32Array): void => {
        integers[(at[0] ?? 0) / 4] = count;
      };
      expect(differenceOf(atMost, { most }, at, p.seed, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(50) },
  );
});
