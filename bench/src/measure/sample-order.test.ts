import type { SampleSet } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { firstOf, sampleOrder } from "./sample-order.js";

const startOf = (index: number) => index - (index % 5);
const sequences: SampleSet["sequences"] = { state: {}, startOf };
const all = Array.from({ length: 200 }, (_, index) => index);

it("keeps the steps of sequences behind one another, the sequences in an order of the seed", () => {
  const order = sampleOrder(all, 3, { sequences });
  expect([...order].sort((a, b) => a - b)).toEqual(all);
  for (const [at, index] of order.entries())
    if (startOf(index) < index) expect(order[at - 1]).toBe(index - 1);
  expect(order).not.toEqual(all);
  expect(sampleOrder(all, 4, { sequences })).not.toEqual(order);
});

it("takes whole sequences, at least twenty; of other samples as many as are asked for", () => {
  const order = sampleOrder(all, 3, { sequences });
  expect(firstOf(order, 2, { sequences })).toEqual(order.slice(0, 100));
  expect(firstOf(order, 101, { sequences })).toEqual(order.slice(0, 105));
  expect(firstOf(order, 1000, { sequences })).toEqual(order);
  expect(firstOf(order, 2, {})).toEqual(order.slice(0, 2));
});
