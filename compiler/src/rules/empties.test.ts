import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import { dropEmptyOperands, dropEmptyScatter, foldEmpty } from "./empties.js";
import { foldConstants } from "./fold-constants.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";

const rules = [foldConstants, foldEmpty, dropEmptyOperands, dropEmptyScatter];
const last = 2 ** 31;

/** Of x [3, 4] what a slice from `start` to `end` along an axis takes. */
function cut(b: Builder, x: ValueId, start: number, end: number, axis = 0): ValueId {
  return b.add("Slice", [x, b.ints([start]), b.ints([end]), b.ints([axis])]);
}

async function opsOf(
  build: (x: ValueId, b: Builder) => ValueId,
  dims: readonly (number | string)[] = [3, 4],
): Promise<readonly string[]> {
  return (await apply(rules, graphOf({ x: ["float32", ...dims] }, (input, b) => ({ y: build(input("x"), b) })))).ops; // prettier-ignore
}

describe("what has no elements", () => {
  it("goes out of what it is joined with, and is put nowhere", async () => {
    expect(
      await opsOf((x, b) => {
        const nothing = b.add("Relu", [cut(b, x, 3, last)]);
        return b.add("Concat", [nothing, b.add("Abs", [x]), nothing, x], {
          axis: attribute.int(0),
        });
      }),
    ).toEqual(["Abs", "Concat"]);
    expect(
      await opsOf((x, b) => {
        const nothing = b.add("Transpose", [cut(b, x, 4, last, 1)]);
        const turned = b.add("Transpose", [nothing]);
        const put = b.add("ScatterND", [x, b.ints([], [0, 1]), cut(b, x, -3, -3)]);
        return b.add("Relu", [b.add("Concat", [put, turned], { axis: attribute.int(-1) })]);
      }),
    ).toEqual(["Concat", "Relu"]);
    expect(
      await opsOf((x, b) => {
        const indices = b.ints([], [0, 4]);
        return b.add("Neg", [b.add("ScatterElements", [x, indices, cut(b, x, 0, 0)])]);
      }),
    ).toEqual(["Neg"]);
  });

  it("may be all that a model gives", async () => {
    expect(await opsOf((x, b) => b.add("Relu", [cut(b, x, 3, last)]))).toEqual(["Identity"]);
  });

  it("stays where it is not known, where all is nothing, or there is a string", async () => {
    const joined = (x: ValueId, b: Builder) =>
      b.add("Concat", [x, b.add("Abs", [cut(b, x, 3, last)])], { axis: attribute.int(0) });
    expect(await opsOf(joined, ["n", 4])).toEqual(["Slice", "Abs", "Concat"]);
    expect(
      await opsOf((x, b) => {
        const nothing = cut(b, x, 3, last);
        return b.add("Concat", [nothing, nothing], { axis: attribute.int(1) });
      }),
    ).toEqual(["Identity"]);
  });
});
