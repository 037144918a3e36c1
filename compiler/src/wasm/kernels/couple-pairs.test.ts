import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { couplePairs, coupleRoom } from "./couple-pairs.js";
import { floatBytes } from "./kernel.js";
import { differenceOf, operandBytes, operands, seed, size } from "./kernel-case.test.support.js";

it("finds probabilities of classes as its reference does: samples, classes, what is certain and what is no number", () => {
  const problem = fc.record({
    samples: size(1, 3),
    classes: size(2, 9),
    gap: size(0, 2),
    strength: fc.constantFrom(0, 0.5, 3, 40),
    hole: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ samples, classes, gap, strength, hole, seed: s }) => {
      expect(coupleRoom(classes)).toBeLessThan(operandBytes - 64);
      const at = operands(3);
      const pairs = (classes * (classes - 1)) / 2;
      const steps = [(pairs + gap) * floatBytes, (classes + gap) * floatBytes] as const;
      const prepare = (integers: Int32Array): void => {
        const floats = new Float32Array(integers.buffer);
        const start = (at[0] ?? 0) / floatBytes;
        for (let i = start; i < start + samples * (pairs + gap); i += 1)
          floats[i] = (floats[i] ?? 0) * strength;
        if (hole) floats[start] = Number.NaN;
      };
      const options = { samples, classes, steps };
      expect(differenceOf(couplePairs, options, at, s, prepare)).toBeUndefined();
    }),
    { numRuns: cases(150) },
  );
});

it("gives what was put together from shares of classes back", () => {
  const shares = [0.5, 0.3, 0.15, 0.05];
  const memory = new Float32Array(64);
  let pair = 0;
  for (const [i, own] of shares.entries())
    for (const other of shares.slice(i + 1)) memory[pair++] = Math.log(own / other);
  const options = { samples: 1, classes: 4, steps: [0, 0] } as const;
  const views = { floats: memory, integers: new Int32Array(memory.buffer) };
  const others = {
    longs: new BigInt64Array(memory.buffer),
    bytes: new Uint8Array(memory.buffer),
    signedBytes: new Int8Array(memory.buffer),
  };
  couplePairs.reference(options, { ...views, ...others }, [0, 8 * floatBytes, 16 * floatBytes]);
  for (const [i, share] of shares.entries()) expect(memory[8 + i]).toBeCloseTo(share, 2);
});
