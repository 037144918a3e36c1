import * as fc from "fast-check";
import { expect, it } from "vitest";
import { constantImage, planMemory } from "./memory-plan.js";
import type { Buffer, Plan } from "./plan.js";

const buffer = fc
  .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.nat(20), lives: fc.nat(8) })
  .map(({ bytes, first, lives }): Buffer => ({
    kind: "buffer",
    name: "b",
    bytes,
    first,
    last: first + lives,
  }));

function planWith(buffers: readonly Buffer[]): Plan {
  const constants = [{ kind: "constant" as const, bytes: Uint8Array.from([1, 2, 3, 4, 5]) }];
  return { buffers, constants, steps: [], inputs: [], outputs: [] };
}

it("lets buffers share memory only where they never live together", () => {
  fc.assert(
    fc.property(fc.array(buffer, { maxLength: 30 }), (buffers) => {
      const plan = planWith(buffers);
      const memory = planMemory(plan);
      const at = (held: Buffer): number => memory.addressOf({ in: held, offset: 0 });
      for (const a of buffers) {
        expect(at(a) % 64).toBe(0);
        expect(at(a) + a.bytes).toBeLessThanOrEqual(memory.constantsAt);
        for (const b of buffers) {
          const together = a !== b && a.first <= b.last && b.first <= a.last;
          if (together) expect(at(a) + a.bytes <= at(b) || at(b) + b.bytes <= at(a)).toBe(true);
        }
      }
      // At no time does less suffice than what lives then.
      for (let time = 0; time < 30; time += 1) {
        const live = buffers.filter(({ first, last }) => first <= time && time <= last);
        const bytes = live.reduce((sum, each) => sum + each.bytes, 0);
        expect(memory.arenaBytes).toBeGreaterThanOrEqual(bytes);
      }
      expect(memory.arenaBytes).toBeLessThanOrEqual(memory.unsharedBytes);
      expect([...constantImage(plan, memory).subarray(0, 5)]).toEqual([1, 2, 3, 4, 5]);
    }),
    { numRuns: 300 },
  );
});

it("puts a chain of equal buffers into the memory of two", () => {
  const chain = Array.from({ length: 10 }, (_, at): Buffer => ({
    kind: "buffer",
    name: `${at}`,
    bytes: 640,
    first: at,
    last: at + 1,
  }));
  expect(planMemory(planWith(chain)).arenaBytes).toBe(1280);
});
