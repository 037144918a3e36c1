import { describe, expect, it } from "vitest";
import { attribute, dim, Tensor, tensorType, type ValueId } from "../ir/index.js";
import { reshapes } from "./reshapes.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";
import { constantReshapeTarget, foldShapeValues } from "./shape-values.js";

const perm = (...axes: number[]) => ({ perm: attribute.ints(axes) });

describe("merge-reshapes", () => {
  it("keeps the last of two", async () => {
    const graph = graphOf({ x: ["float32", "N", 4, 6] }, (x, b) => ({
      y: b.add("Reshape", [b.add("Reshape", [x("x"), b.ints([-1, 24])]), b.ints([-1, 8, 3])]),
    }));
    expect((await apply(reshapes, graph)).ops).toEqual(["Reshape"]);
  });

  it("keeps a 0 that copies the same dim of the source", async () => {
    const graph = graphOf({ x: ["float32", "N", 4, "M"] }, (x, b) => ({
      y: b.add("Reshape", [b.add("Unsqueeze", [x("x"), b.ints([3])]), b.ints([0, 2, -1])]),
    }));
    expect((await apply(reshapes, graph, { N: 3, M: 5 })).ops).toEqual(["Reshape"]);
  });

  it("does not take a size of 0 for a 0 that copies", async () => {
    const graph = graphOf({ x: ["float32", 3, 0] }, (x, b) => ({
      y: b.add("Reshape", [b.add("Flatten", [x("x")], { axis: attribute.int(2) }), b.ints([0, 7])]),
    }));
    expect((await apply(reshapes, graph)).ops).toEqual(["Flatten", "Reshape"]);
  });

  it("does not merge where two dims would have to be inferred", async () => {
    const graph = graphOf({ x: ["float32", "N", "M", 4] }, (x, b) => ({
      y: b.add("Reshape", [
        b.add("Flatten", [x("x")], { axis: attribute.int(2) }),
        b.ints([0, 2, -1]),
      ]),
    }));
    expect((await apply(reshapes, graph, { N: 3, M: 5 })).ops).toEqual(["Flatten", "Reshape"]);
  });
});

describe("undo-reshapes", () => {
  it("drops a Squeeze after its Unsqueeze", async () => {
    const graph = graphOf({ x: ["float32", "N", 4] }, (x, b) => ({
      y: b.add("Relu", [
        b.add("Squeeze", [b.add("Unsqueeze", [x("x"), b.ints([1])]), b.ints([1])]),
      ]),
    }));
    expect((await apply(reshapes, graph)).ops).toEqual(["Relu"]);
  });

  it("makes one Reshape of two that are not undone", async () => {
    const graph = graphOf({ x: ["float32", 1, "N", 4] }, (x, b) => ({
      y: b.add("Unsqueeze", [b.add("Squeeze", [x("x"), b.ints([0])]), b.ints([2])]),
    }));
    expect((await apply(reshapes, graph, { N: 5 })).ops).toEqual(["Reshape"]);
  });
});

describe("merge-transposes", () => {
  it("multiplies permutations", async () => {
    const graph = graphOf({ x: ["float32", 2, 3, 4] }, (x, b) => ({
      y: b.add("Transpose", [b.add("Transpose", [x("x")], perm(1, 2, 0))], perm(0, 2, 1)),
    }));
    expect((await apply(reshapes, graph)).ops).toEqual(["Transpose"]);
  });
});

describe("transpose-to-reshape", () => {
  it("takes a Transpose of axes of size 1", async () => {
    const graph = graphOf({ x: ["float32", 1, "N", 4] }, (x, b) => ({
      y: b.add("Transpose", [x("x")], perm(1, 0, 2)),
    }));
    expect((await apply(reshapes, graph, { N: 3 })).ops).toEqual(["Reshape"]);
  });

  it("takes one of several free sizes where a Reshape follows", async () => {
    const joined = (target: readonly number[]) =>
      graphOf({ x: ["float32", "N", 1, "H", "W"] }, (x, b) => ({
        y: b.add("Reshape", [b.add("Transpose", [x("x")], perm(0, 2, 3, 1)), b.ints(target)]),
      }));
    const sizes = { N: 2, H: 3, W: 4 };
    expect((await apply(reshapes, joined([0, -1, 1]), sizes)).ops).toEqual(["Reshape"]);
    expect((await apply(reshapes, joined([-1, 0, 0, 1]), sizes)).ops).toEqual(["Transpose", "Reshape"]); // prettier-ignore
  });

  it("leaves one that moves elements", async () => {
    const graph = graphOf({ x: ["float32", 1, 3, 4] }, (x, b) => ({
      y: b.add("Transpose", [x("x")], perm(0, 2, 1)),
    }));
    expect((await apply(reshapes, graph)).ops).toEqual(["Transpose"]);
  });
});

describe("an empty batch", () => {
  const sizes = { N: 0, M: 5 };

  it.each<[string, readonly (number | string)[], (x: ValueId, b: Builder) => ValueId, string[]]>([
    [
      "is not asked for a size that it does not say, of Squeeze and Unsqueeze",
      ["N", 1, "M"],
      (x, b) => b.add("Unsqueeze", [b.add("Squeeze", [x, b.ints([1])]), b.ints([2])]),
      ["Squeeze", "Unsqueeze"],
    ],
    [
      "nor of Unsqueeze twice, which is said otherwise",
      ["N", "M"],
      (x, b) => b.add("Unsqueeze", [b.add("Unsqueeze", [x, b.ints([0])]), b.ints([2])]),
      ["Unsqueeze"],
    ],
    [
      "nor of Transpose",
      ["N", 1, "M"],
      (x, b) => b.add("Transpose", [x], perm(0, 2, 1)),
      ["Transpose"],
    ],
    [
      "nor of a target of dims",
      ["N", 2, "M"],
      (x, b) => {
        const dimAt = (at: number) => b.add("Gather", [b.add("Shape", [x]), b.ints([at])]);
        const joined = [dimAt(0), b.add("Mul", [dimAt(1), dimAt(2)])];
        return b.add("Reshape", [x, b.add("Concat", joined, { axis: attribute.int(0) })]);
      },
      ["Shape", "Gather", "Shape", "Gather", "Mul", "Concat", "Reshape"],
    ],
    [
      "nor where axes of size 1 are put in, which is said otherwise",
      ["N", "M", 3],
      (x, b) => {
        const dimAt = (at: number) => b.add("Gather", [b.add("Shape", [x]), b.ints([at])]);
        const joined = [dimAt(0), b.ints([1]), dimAt(1), b.ints([3])];
        return b.add("Reshape", [x, b.add("Concat", joined, { axis: attribute.int(0) })]);
      },
      ["Unsqueeze"],
    ],
    [
      "but of sizes that are told besides",
      ["N", 2, "M"],
      (x, b) => b.add("Reshape", [b.add("Unsqueeze", [x, b.ints([3])]), b.ints([-1, 2])]),
      ["Reshape"],
    ],
  ])("%s", async (_, dims, build, expected) => {
    const graph = graphOf({ x: ["float32", ...dims] }, (x, b) => ({ y: build(x("x"), b) }));
    const rules = [...reshapes, foldShapeValues, constantReshapeTarget];
    expect((await apply(rules, graph, sizes)).ops).toEqual(expected);
  });
});

describe("shapes that follow from shapes", () => {
  const asked = (b: Builder, x: ValueId, at: number, op: string, than: number) =>
    b.add("Cast", [b.add(op, [b.add("Gather", [b.add("Shape", [x]), b.ints([at], [])]), b.ints([than], [])])], { to: attribute.int(7) }); // prettier-ignore

  it("do not say that there is a past, which a decoder has none of in its first step", async () => {
    const graph = graphOf({ past: ["float32", 1, 4, "past", 8] }, (x, b) => ({
      y: b.add("Neg", [asked(b, x("past"), 2, "Greater", 0)]),
    }));
    expect((await apply([foldShapeValues], graph, { past: 0 })).ops).toContain("Greater");
  });

  it("do not say that a NonZero finds anything, by whatever name a file has for how many", async () => {
    const graph = graphOf({ x: ["float32", 5] }, (x, b) => {
      const none = b.add("Relu", [b.add("Neg", [b.add("Abs", [x("x")])])]);
      const found = b.add("NonZero", [none]);
      b.editor.setType(found, tensorType("int64", [1, dim.symbol("n")]));
      return { y: b.add("Neg", [asked(b, found, 1, "Equal", 0)]) };
    });
    expect((await apply([foldShapeValues], graph)).ops).toContain("Equal");
  });

  it("writes a target of dims as numbers, 0 and −1", async () => {
    const graph = graphOf({ x: ["float32", "N", "S", 12] }, (x, b) => {
      const dimAt = (at: number) => b.add("Gather", [b.add("Shape", [x("x")]), b.ints([at])]);
      const target = b.add("Concat", [dimAt(0), dimAt(1), b.ints([3, 4])], {
        axis: attribute.int(0),
      });
      return { y: b.add("Reshape", [x("x"), target]) };
    });
    expect(
      (await apply([foldShapeValues, constantReshapeTarget], graph, { N: 2, S: 5 })).ops,
    ).toEqual(["Reshape"]);
    const [reshape] = graph.order();
    expect(graph.constant(reshape?.inputs[1])?.numbers()).toEqual([0, 0, 3, 4]);
  });

  it("leaves a target with two dims that are nowhere in the source", async () => {
    const graph = graphOf({ x: ["float32", "N", 6], z: ["float32", "A", "B"] }, (x, b) => ({
      y: b.add("Reshape", [x("x"), b.add("Shape", [x("z")])]),
    }));
    expect(
      (await apply([foldShapeValues, constantReshapeTarget], graph, { N: 4, A: 3, B: 8 })).ops,
    ).toContain("Shape");
  });

  it("folds the Shape of a fixed shape", async () => {
    const graph = graphOf({ x: ["float32", 2, 3] }, (x, b) => ({
      y: b.add("Mul", [b.add("Shape", [x("x")]), b.ints([2])]),
    }));
    expect((await apply([foldShapeValues], graph)).ops).toEqual(["Identity"]);
  });

  it("leaves a range of integers beyond what numbers hold", async () => {
    const graph = graphOf({ x: ["int64", 3] }, (x, b) => {
      const long = (value: bigint): ValueId =>
        b.editor.constant("long", Tensor.of("int64", [], BigInt64Array.of(value)));
      const range = b.add("Range", [long(2n ** 60n), long(2n ** 60n + 3n), long(1n)]);
      return { y: b.add("Add", [x("x"), range]) };
    });
    expect((await apply([foldShapeValues], graph)).ops).toEqual(["Range", "Add"]);
  });

  it("leaves integers beyond what numbers hold, and what is computed of them", async () => {
    const last = Tensor.of("int64", [1], BigInt64Array.of(2n ** 63n - 1n));
    const graph = graphOf({ x: ["int64", 3] }, (x, b) => {
      const most = b.editor.constant("most", last);
      const less = b.add("Sub", [most, b.ints([1])]);
      return {
        y: b.add("Mul", [x("x"), less]),
        z: b.add("Cast", [most], { to: attribute.int(6) }),
      };
    });
    expect((await apply([foldShapeValues], graph)).ops).toEqual(["Sub", "Mul", "Cast"]);
  });
});
