import type { Cells } from "../schema/schemas.js";

/** Beside what is elementwise: its result's sizes follow from its inputs' sizes, and of what is cut from where. */
export const sizedByInputs: Cells<true> = {
  Cast: true,
  Concat: true,
  Conv: true,
  Gather: true,
  Gemm: true,
  Identity: true,
  MatMul: true,
  Slice: true,
  Softmax: true,
  Split: true,
  Squeeze: true,
  Transpose: true,
  Unsqueeze: true,
  Where: true,
};
