import { floatsToHalves } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { chooseMetric } from "./metrics.js";
import { numbersFrom } from "./readings.js";
import { createScorer } from "./scorer.js";

const values = [-1, 0.5, 0.25];
const halves = { type: "float16", dims: [1, 3], data: floatsToHalves(values) };

describe("numbers of a tensor that `predict` returned", () => {
  it("are what its bits mean", async () => {
    expect(Array.from(numbersFrom(halves) ?? [])).toEqual(values);
    // The upper halves of the same numbers as float32.
    const bits = Uint16Array.of(0xbf80, 0x3f00, 0x3e80);
    expect(Array.from(numbersFrom({ ...halves, type: "bfloat16", data: bits }) ?? [])).toEqual(
      values,
    );
    // As bits, the negative number is the largest.
    const scorer = createScorer("top1", true, { predict: async () => halves });
    const kept = await scorer.keep({}, { id: "s", label: 1, group: null }, null);
    expect(scorer.show(kept)).toBe("class 1");
    expect(await scorer.reduce([kept], [[0]])).toEqual([1]);
    const score = { type: "float16", dims: [1], data: floatsToHalves([0.5]) };
    expect(chooseMetric({}, 1, score)).toBe("auc");
  });

  it("are its elements where these are numbers, however they are held", () => {
    for (const data of [Float32Array.from(values), values])
      expect(Array.from(numbersFrom({ type: "float32", dims: [1, 3], data }) ?? [])).toEqual(
        values,
      );
    // As newer engines hold halves: numbers, in an array that older ones do not know.
    const data = Float32Array.from(values);
    expect(Array.from(numbersFrom({ ...halves, data }) ?? [])).toEqual(values);
    expect(Array.from(numbersFrom({ data }) ?? [])).toEqual(values);
    expect(Array.from(numbersFrom({ type: "int64", data: BigInt64Array.of(3n) }) ?? [])).toEqual([
      3,
    ]);
  });

  it("are none where several are packed into one element", () => {
    expect(numbersFrom({ type: "int4", dims: [4], data: new Uint8Array(2) })).toBeNull();
  });
});
