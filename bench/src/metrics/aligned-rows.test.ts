import type { Tensors } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { alignedRows } from "./aligned-rows.js";
import { createScorer } from "./scorer.js";

const floats = (dims: readonly number[], data: readonly number[]) =>
  ({ type: "float32", dims, data: Float32Array.from(data) }) as const;
const classes = (data: readonly number[]) =>
  ({ type: "int64", dims: [data.length], data: BigInt64Array.from(data, BigInt) }) as const;

type Box = readonly [x: number, y: number, width: number, height: number, score: number, kind: number]; // prettier-ignore

function outputsOf(boxes: readonly Box[]): Tensors {
  return {
    boxes: floats(
      [1, boxes.length, 4],
      boxes.flatMap((box) => box.slice(0, 4)),
    ),
    scores: floats(
      [boxes.length],
      boxes.map((box) => box[4]),
    ),
    classes: classes(boxes.map((box) => box[5])),
  };
}

const groups = [{ boxes: 1, scores: 0, classes: 0 }];
const place = fc.integer({ min: 0, max: 40 }).map((at) => 16 * at);
const box = fc.tuple(place, place, fc.constantFrom(20, 40, 80), fc.constantFrom(20, 60), fc.constantFrom(0.3, 0.5, 0.9), fc.integer({ min: 0, max: 3 })); // prettier-ignore
const several = fc.uniqueArray(box, { minLength: 2, maxLength: 12, selector: ([x, y]) => `${x} ${y}` }); // prettier-ignore

it("gives a candidate's rows the float model's order, whatever theirs is, in all outputs", () => {
  fc.assert(
    fc.property(several, fc.infiniteStream(fc.nat()), (boxes, order) => {
      const turned = boxes
        .map((one) => ({ one, key: order.next().value }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one);
      const float = outputsOf(boxes);
      expect(alignedRows(outputsOf(turned), float, groups)).toEqual(float);
    }),
  );
});

it("puts what only the candidate has behind, and holds what it lacks against what is left", () => {
  const [a, b, c]: readonly Box[] = [[0, 0, 10, 10, 0.9, 1], [100, 0, 10, 10, 0.8, 1], [50, 300, 10, 10, 0.7, 2]]; // prettier-ignore
  if (!a || !b || !c) throw new Error();
  expect(alignedRows(outputsOf([c, b, a]), outputsOf([a, b]), groups)).toEqual(
    outputsOf([a, b, c]),
  );
  expect(alignedRows(outputsOf([b]), outputsOf([a, b]), groups)).toEqual(outputsOf([b]));
});

it("leaves what is of other shapes, is not there, is text, or too much, as it is", () => {
  const float = outputsOf([[0, 0, 1, 1, 0.5, 0], [9, 9, 1, 1, 0.4, 0]]); // prettier-ignore
  const other = { ...float, scores: floats([3], [1, 2, 3]) };
  expect(alignedRows(other, float, groups)).toEqual(other);
  expect(alignedRows(float, float, groups)).toBe(float);
  const text = { y: { type: "string", dims: [2], data: ["b", "a"] } } as const;
  const turned = { y: { type: "string", dims: [2], data: ["a", "b"] } } as const;
  expect(alignedRows(turned, text, [{ y: 0 }, { missing: 0 }])).toEqual(turned);
  const many = (sign: number) => ({ y: floats([5000, 4], Array.from({ length: 20_000 }, (_, at) => sign * at)) }); // prettier-ignore
  expect(alignedRows(many(-1), many(1), [{ y: 0 }])).toEqual(many(-1));
});

it("lets boxes that changed their order agree", async () => {
  const info = { id: "0", label: null, group: null };
  const boxes: readonly Box[] = [[0, 0, 10, 10, 0.9, 1], [300, 10, 10, 10, 0.895, 1], [50, 300, 10, 10, 0.7, 2]]; // prettier-ignore
  const [first, second, third] = boxes;
  if (!first || !second || !third) throw new Error();
  const agreement = async (reads?: Parameters<typeof createScorer>[3]): Promise<number> => {
    const scorer = createScorer("concordance", false, {}, reads);
    const kept = await scorer.keep(outputsOf([second, first, third]), info, outputsOf(boxes));
    return (await scorer.reduce([kept], [[0]]))[0] ?? 0;
  };
  expect(await agreement()).toBeLessThan(0.7);
  expect(await agreement((all, float) => alignedRows(all, float, groups))).toBe(1);
});
