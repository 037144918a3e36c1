import { describe, expect, it } from "vitest";
import { attribute, Tensor } from "../ir/index.js";
import { reshapes } from "./reshapes.js";
import { apply, graphOf } from "./rule-case.test.support.js";
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

describe("shapes that follow from shapes", () => {
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
