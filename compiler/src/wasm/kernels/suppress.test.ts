import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { fill } from "./fill.js";
import type { Kernel } from "./kernel.js";
import { differenceOf, operandBytes, operands, seed, size } from "./kernel-case.test.support.js";
import { suppress, type SuppressOptions } from "./suppress.js";
import { zeroRest } from "./zero-rest.js";

/** The kernel; what it leaves of its heap is no result. */
const withoutHeap: Kernel<SuppressOptions> = {
  ...suppress,
  emit(options, engine) {
    const f = suppress.emit(options, engine);
    const at = f.parameter(6);
    f.times(options.boxes, () => {
      f.storeFloat(at, 0, { type: "f32", write: (code) => { code.byte(0x43); code.float32(0); } }); // prettier-ignore
      f.advance(at, 4);
    });
    return f;
  },
  reference(options, memory, at) {
    suppress.reference(options, memory, at);
    const heap = { element: "f32", axes: [], run: options.boxes, value: 0 } as const;
    fill.reference(heap, memory, at.slice(6));
  },
};

it("keeps what its reference keeps: batches, classes, limits, equal scores, layouts", () => {
  const problem = fc.record({
    batches: size(1, 2),
    classes: size(1, 3),
    boxes: size(1, 12),
    /** How many boxes there are of those; undefined: all. */
    there: fc.option(size(0, 12), { nil: undefined }),
    limit: size(0, 5),
    /** What a run says of it; undefined: nothing. */
    wanted: fc.constantFrom(undefined, -(2 ** 40) + 3, -1, 0, 1, 3, 6, 2 ** 40),
    centred: fc.boolean(),
    turned: fc.boolean(),
    widened: size(0, 1),
    /** Coordinates and scores are whole parts: many are equal, and shares are met exactly. */
    parts: fc.constantFrom(2, 4, 64),
    share: fc.constantFrom(0, 0.25, 1 / 3, 0.5, 1),
    threshold: fc.constantFrom(undefined, 0, 0.5, 2),
    seed,
  });
  fc.assert(
    fc.property(
      problem,
      ({ batches, classes, boxes, there, limit, wanted, turned, parts, ...p }) => {
        const most = Math.min(limit, boxes);
        const options: SuppressOptions = {
          batches,
          classes,
          boxes,
          limit: most,
          readsLimit: wanted !== undefined,
          countsBoxes: there !== undefined,
          hasThreshold: p.threshold !== undefined,
          centred: p.centred,
          boxSteps: turned ? [boxes * 16, 4, boxes * 4] : [boxes * 16, 16, 4],
          scoreSteps: turned
            ? [classes * boxes * 4, 4, classes * 4]
            : [classes * boxes * 4, boxes * 4, 4],
          rowStep: 24 + 8 * p.widened,
        };
        const eight = operands(8);
        const at = [...eight, (eight[7] ?? 0) + 64];
        const prepare = (integers: Int32Array): void => {
          const floats = new Float32Array(integers.buffer);
          for (const place of at.slice(0, 2))
            for (let i = place / 4; i < (place + operandBytes) / 4 - 16; i += 1)
              floats[i] = Math.round((floats[i] ?? 0) * parts) / parts;
          floats[(at[2] ?? 0) / 4] = p.share;
          floats[(at[3] ?? 0) / 4] = p.threshold ?? 1;
          integers[(at[7] ?? 0) / 4] = Math.min(boxes, there ?? 0);
          new BigInt64Array(integers.buffer)[(at[8] ?? 0) / 8] = BigInt(wanted ?? 0);
        };
        expect(differenceOf(withoutHeap, options, at, p.seed, prepare, 0)).toBeUndefined();
      },
    ),
    { numRuns: cases(400) },
  );
});

it("writes zeros behind the last row, and nothing else", () => {
  const problem = fc.record({ bytes: size(1, 40), most: size(1, 9), count: size(0, 9), seed });
  fc.assert(
    fc.property(problem, ({ bytes, most, count, ...p }) => {
      const at = operands(2);
      const prepare = (integers: Int32Array): void => {
        integers[(at[0] ?? 0) / 4] = Math.min(count, most);
      };
      const options = { bytes, all: most * bytes };
      expect(differenceOf(zeroRest, options, at, p.seed, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(100) },
  );
});
