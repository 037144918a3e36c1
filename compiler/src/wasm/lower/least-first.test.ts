import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LeastFirst } from "./least-first.js";

it("gives the least of what was added and not taken yet", () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant("take" as const)));
  fc.assert(
    fc.property(steps, (all) => {
      const heap = new LeastFirst();
      const slow: number[] = [];
      for (const step of all) {
        if (step === "take") {
          slow.sort((a, b) => a - b);
          expect(heap.take()).toBe(slow.shift());
        } else {
          heap.add(step);
          slow.push(step);
        }
      }
    }),
  );
});
