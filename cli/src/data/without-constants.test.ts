import { expect, it } from "vitest";
import { withoutConstants } from "./without-constants.js";

const x = Float32Array.of(1, 2);
const rate = { type: "int64", dims: [], data: BigInt64Array.of(16000n) } as const;

it("leaves out what became a constant, and the rest as it is", () => {
  expect(withoutConstants({ x, rate }, { rate: 16000 }, "a")).toEqual({ x });
  expect(withoutConstants({ x, rate }, { rate: [16000] }, "a")).toEqual({ x });
  expect(withoutConstants({ x, rate }, {}, "a")).toEqual({ x, rate });
});

it("refuses a sample that has another number there", () => {
  const feeds = { x, rate };
  expect(() => withoutConstants(feeds, { rate: 8000 }, "a")).toThrow(
    'Sample "a" gives "rate" as 16000, and --const has it as 8000.',
  );
  expect(() => withoutConstants(feeds, { x: 1 }, "a")).toThrow(/gives "x" as 2/);
});
