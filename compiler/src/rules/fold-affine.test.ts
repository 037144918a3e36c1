import { describe, expect, it } from "vitest";
import { attribute, type ValueId } from "../ir/index.js";
import { foldAffine } from "./fold-affine.js";
import { gemms } from "./gemm.js";
import { apply, type Builder, either, graphOf } from "./rule-case.test.support.js";

const image = { x: ["float32", 1, 3, 5, 5] } as const;

function batchNorm(b: Builder, x: ValueId, channels: number): ValueId {
  const variance = b.floats(
    Array.from({ length: channels }, (_, c) => 0.5 + c),
    [channels],
  );
  return b.add(
    "BatchNormalization",
    [x, b.weights(channels), b.weights(channels), b.weights(channels), variance],
    { epsilon: attribute.float(1e-3) },
  );
}

describe("fold-affine", () => {
  it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
    [
      "BatchNormalization into Conv",
      (x, b) => batchNorm(b, b.add("Conv", [x, b.weights(4, 3, 3, 3)]), 4),
    ],
    [
      "BatchNormalization into Conv with bias",
      (x, b) => batchNorm(b, b.add("Conv", [x, b.weights(4, 3, 1, 1), b.weights(4)]), 4),
    ],
    [
      "BatchNormalization into grouped ConvTranspose",
      (x, b) =>
        batchNorm(
          b,
          b.add("ConvTranspose", [x, b.weights(3, 2, 2, 2), b.weights(6)], {
            group: attribute.int(3),
          }),
          6,
        ),
    ],
    [
      "Add per channel",
      (x, b) => b.add("Add", [b.weights(1, 4, 1, 1), b.add("Conv", [x, b.weights(4, 3, 3, 3)])]),
    ],
    [
      "Sub per channel",
      (x, b) => b.add("Sub", [b.add("Conv", [x, b.weights(4, 3, 3, 3)]), b.weights(4, 1, 1)]),
    ],
    [
      "constant − Conv",
      (x, b) =>
        b.add("Sub", [b.floats([2]), b.add("Conv", [x, b.weights(4, 3, 3, 3), b.weights(4)])]),
    ],
    [
      "Mul per channel",
      (x, b) =>
        b.add("Mul", [b.add("Conv", [x, b.weights(4, 3, 3, 3), b.weights(4)]), b.weights(4, 1, 1)]),
    ],
    [
      "Div by a number",
      (x, b) =>
        b.add("Div", [b.add("Conv", [x, b.weights(4, 3, 3, 3), b.weights(4)]), b.floats([3])]),
    ],
  ])("%s", async (_, build) => {
    const { ops } = await apply(
      foldAffine,
      graphOf(image, (x, b) => ({ y: build(x("x"), b) })),
    );
    expect(ops).toHaveLength(1);
  });

  it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
    [
      "BatchNormalization into Gemm",
      (x, b) =>
        batchNorm(
          b,
          b.add("Gemm", [x, b.weights(6, 4), b.weights(4)], {
            alpha: attribute.float(0.5),
            beta: attribute.float(2),
          }),
          4,
        ),
    ],
    [
      "Mul into Gemm of a transposed matrix",
      (x, b) =>
        b.add("Mul", [
          b.add("Gemm", [x, b.weights(4, 6), b.weights(1, 4)], { transB: attribute.int(1) }),
          b.weights(4),
        ]),
    ],
    [
      "Mul into MatMul",
      (x, b) => b.add("Mul", [b.add("MatMul", [x, b.weights(6, 4)]), b.weights(4)]),
    ],
  ])("%s", async (_, build) => {
    const { ops } = await apply(
      foldAffine,
      graphOf({ x: ["float32", "N", 6] }, (x, b) => ({ y: build(x("x"), b) })),
    );
    expect(ops).toHaveLength(1);
  });

  it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
    [
      "a constant per pixel",
      (x, b) => b.add("Mul", [b.add("Conv", [x, b.weights(4, 3, 3, 3)]), b.weights(1, 1, 3, 3)]),
    ],
    [
      "a sum that rounds to whole numbers",
      (x, b) => b.add("Add", [b.add("Conv", [x, b.weights(4, 3, 3, 3)]), b.floats([12_582_912])]),
    ],
    [
      "a constant that adds an axis",
      (x, b) => b.add("Mul", [b.add("Conv", [x, b.weights(4, 3, 3, 3)]), b.weights(2, 1, 1, 1, 1)]),
    ],
    [
      "a number divided by the result",
      (x, b) => b.add("Div", [b.floats([3]), b.add("Conv", [x, b.weights(4, 3, 3, 3)])]),
    ],
  ])("leaves %s", async (_, build) => {
    const { ops } = await apply(
      foldAffine,
      graphOf(image, (x, b) => ({ y: build(x("x"), b) })),
    );
    expect(ops).toHaveLength(2);
  });

  it("leaves a Conv whose result only a branch reads: what a branch holds is not seen outside of it", async () => {
    const graph = graphOf({ ...image, c: ["bool"] }, (x, b) => {
      const conv = b.add("Conv", [x("x"), b.weights(4, 3, 3, 3)]);
      const scaled = either(
        b,
        x("c"),
        (inner) => inner.add("Mul", [conv, inner.weights(1, 4, 1, 1)]),
        (inner) => inner.add("Relu", [x("x")]),
      );
      return { y: b.add("Neg", [scaled]) };
    });
    expect((await apply(foldAffine, graph)).ops).toEqual(["Conv", "Relu", "Mul", "If", "Neg"]);
  });

  it("leaves a Conv whose result is read elsewhere", async () => {
    const graph = graphOf(image, (x, b) => {
      const conv = b.add("Conv", [x("x"), b.weights(4, 3, 3, 3)]);
      return { y: b.add("Relu", [conv]), z: b.add("Mul", [conv, b.floats([2])]) };
    });
    expect((await apply(foldAffine, graph)).ops).toEqual(["Conv", "Relu", "Mul"]);
  });

  it("leaves shared weights, and says so; their bias it may change", async () => {
    const graph = graphOf(image, (x, b) => {
      const weight = b.weights(4, 3, 3, 3);
      return {
        y: b.add("Mul", [b.add("Conv", [x("x"), weight]), b.floats([2])]),
        z: b.add("Add", [b.add("Conv", [x("x"), weight]), b.floats([2])]),
      };
    });
    const { ops, misses } = await apply(foldAffine, graph);
    expect(ops).toEqual(["Conv", "Mul", "Conv"]);
    expect(misses).toEqual([expect.stringContaining("shared by 2 nodes")]);
  });
});

describe("Gemm", () => {
  it("takes MatMul and Add of matrices, and a Transpose before it", async () => {
    const graph = graphOf({ x: ["float32", 6, "N"] }, (x, b) => {
      const product = b.add("MatMul", [
        b.add("Transpose", [x("x")], { perm: attribute.ints([1, 0]) }),
        b.weights(6, 4),
      ]);
      return { y: b.add("Add", [b.weights(4), product]) };
    });
    expect((await apply(gemms, graph)).ops).toEqual(["Gemm"]);
  });

  it("leaves products of more than two axes", async () => {
    const graph = graphOf({ x: ["float32", 2, "N", 6] }, (x, b) => ({
      y: b.add("Add", [b.add("MatMul", [x("x"), b.weights(6, 4)]), b.weights(4)]),
    }));
    expect((await apply(gemms, graph)).ops).toEqual(["MatMul", "Add"]);
  });

  it("leaves an Add that makes the result larger", async () => {
    const graph = graphOf({ x: ["float32", 1, 6] }, (x, b) => ({
      y: b.add("Add", [b.add("MatMul", [x("x"), b.weights(6, 4)]), b.weights(3, 4)]),
    }));
    expect((await apply(gemms, graph)).ops).toEqual(["MatMul", "Add"]);
  });
});
