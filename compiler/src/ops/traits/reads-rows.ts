import type { Cells } from "../schema/schemas.js";

/** It reads rows of a table as what was learned: anchors and positions are added to, multiplied and cut. */
export const readsRows: Cells<true> = {
  Concat: true,
  Einsum: true,
  Flatten: true,
  Gemm: true,
  LayerNormalization: true,
  MatMul: true,
  Reshape: true,
};
