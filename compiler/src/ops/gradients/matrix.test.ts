import { attribute } from "../../ir/index.js";
import { type Case, checkGradients } from "../../train/gradient-check.test.support.js";
import { one } from "./case.test.support.js";

const { int, float, string } = attribute;

const products: readonly (readonly [name: string, a: readonly number[], b: readonly number[]])[] = [
  ["of matrices", [3, 4], [4, 5]],
  ["of a batch and a matrix", [2, 3, 4], [4, 5]],
  ["of a matrix and a batch", [3, 4], [2, 4, 5]],
  ["of batches", [2, 3, 4], [2, 4, 5]],
  ["of batches that are broadcast", [2, 1, 3, 4], [3, 4, 5]],
  ["of a batch of one and a batch", [1, 3, 4], [2, 4, 5]],
  ["of a row and a batch", [4], [2, 4, 5]],
  ["of a batch and a column", [2, 3, 4], [4]],
  ["of a row and a column", [4], [4]],
  ["of a row and a matrix", [4], [4, 5]],
];

checkGradients("gradients of products", [
  ...products.map(([name, a, b]): Case => ({
    name: `MatMul ${name}`,
    shapes: [a, b],
    build: one("MatMul"),
  })),
  ...[0, 1, 2, 3].map((turned): Case => {
    const [transA, transB] = [turned & 1, turned >> 1];
    return {
      name: `Gemm, transA ${transA} and transB ${transB}`,
      shapes: [transA ? [4, 3] : [3, 4], transB ? [5, 4] : [4, 5], [5]],
      build: one("Gemm", {
        transA: int(transA),
        transB: int(transB),
        alpha: float(0.7),
        beta: float(1.3),
      }),
    };
  }),
  {
    name: "Gemm with a bias per row",
    shapes: [
      [3, 4],
      [4, 5],
      [3, 1],
    ],
    build: one("Gemm"),
  },
  {
    name: "Gemm without a bias",
    shapes: [
      [3, 4],
      [4, 5],
    ],
    build: one("Gemm"),
  },
  ...[
    "bij,bjk->bik",
    "bhid,bhjd->bhij",
    "ij,kj->ki",
    "i,j->ij",
    "bij->jbi",
    "bij->j",
    "ij,jk,kd->id",
    "ij,j->",
    "ik,jd->i",
    "b...i,b...j->...ij",
    "bij,jk",
  ].map((equation): Case => ({
    name: `Einsum ${equation}`,
    shapes: equation
      .replace(/-.*/, "")
      .split(",")
      .map((letters) =>
        letters
          .replace("...", "hd")
          .split("")
          .map((letter) => ({ b: 2, h: 2, i: 3, j: 4, k: 5, d: 3 })[letter] ?? 1),
      ),
    build: one("Einsum", { equation: string(equation) }),
  })),
]);
