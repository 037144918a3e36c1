import * as fc from "fast-check";
import { expect, it } from "vitest";
import { constantImage, planMemory, planTogether } from "./memory-plan.js";
import { afterAll, beforeAll, type Buffer, type Plan } from "./plan.js";

const buffer = fc
  .record({
    bytes: fc.integer({ min: 1, max: 5000 }),
    first: fc.oneof(fc.nat(20), fc.constant(beforeAll)),
    lives: fc.oneof(fc.nat(8), fc.constant(afterAll)),
  })
  .map(({ bytes, first, lives }): Buffer => ({
    kind: "buffer",
    name: "b",
    bytes,
    first,
    last: lives === afterAll ? afterAll : first + lives,
  }));

function planWith(buffers: readonly Buffer[]): Plan {
  const constants = [{ kind: "constant" as const, bytes: Uint8Array.from([1, 2, 3, 4, 5]) }];
  return { buffers, constants, steps: [], decoded: [], prepared: [], inputs: [], outputs: [] };
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

it("looks once at each pair of buffers, where all live together for long", () => {
  const count = 400;
  let looked = 0;
  const together = Array.from({ length: count }, (_, at): Buffer => ({
    kind: "buffer",
    name: `${at}`,
    bytes: 64,
    first: at,
    get last() {
      looked += 1;
      return count + 1;
    },
  }));
  const memory = planMemory(planWith(together));
  expect(memory.arenaBytes).toBe(memory.unsharedBytes);
  expect(looked).toBeLessThan(count ** 2);
});

const bytes = fc.uint8Array({ minLength: 1, maxLength: 80, max: 2 });

it("lays plans of which one runs at a time over one another, and keeps equal constants once", () => {
  const several = fc.array(
    fc.record({ buffers: fc.array(buffer, { maxLength: 10 }), constants: fc.array(bytes) }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(several, (given) => {
      const plans = given.map(({ buffers, constants }) => ({
        ...planWith(buffers),
        constants: constants.map((own) => ({ kind: "constant" as const, bytes: own })),
      }));
      const { entries, constants, decoded } = planTogether(plans);
      const contents = constants.map((one) => one.bytes.join());
      expect(new Set(contents).size).toBe(contents.length);
      const alone = plans.map(planMemory);
      for (const [at, { plan, memory }] of entries.entries()) {
        expect(memory.arenaBytes).toBe(Math.max(...alone.map(({ arenaBytes }) => arenaBytes)));
        expect(memory).toMatchObject({ constantsAt: entries[0]?.memory.constantsAt });
        const image = constantImage({ constants, decoded }, memory);
        for (const constant of plan.constants) {
          const begin = memory.addressOf({ in: constant, offset: 0 }) - memory.constantsAt;
          expect(image.subarray(begin, begin + constant.bytes.length)).toEqual(constant.bytes);
        }
        for (const one of plan.buffers) {
          const place = { in: one, offset: 0 };
          expect(memory.addressOf(place)).toBe(alone[at]?.addressOf(place));
        }
      }
    }),
    { numRuns: 100 },
  );
});
