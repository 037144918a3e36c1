import { expect, it } from "vitest";
import { inParts } from "./in-parts.js";

const data = Float32Array.from({ length: 12 }, (_, at) => at);
const rows = [false, true, true];

it("takes each kind of numbers by itself, along the axis where they lie", () => {
  const y = { type: "float32", dims: [2, 3, 2], data } as const;
  const { "y, shares": shares, "y, others": others } = inParts({ y }, { y: { axis: 1, rows } });
  expect(shares).toMatchObject({ dims: [2, 2, 2] });
  expect([...(shares?.data ?? [])]).toEqual([2, 3, 4, 5, 8, 9, 10, 11]);
  expect(others).toMatchObject({ dims: [2, 1, 2] });
  expect([...(others?.data ?? [])]).toEqual([0, 1, 6, 7]);
});

it("leaves what is of another shape, or of no kinds", () => {
  const outputs = {
    y: { type: "float32", dims: [2, 6], data },
    z: { type: "float32", dims: [12], data },
  } as const;
  expect(inParts(outputs, { y: { axis: 1, rows } })).toEqual(outputs);
});
