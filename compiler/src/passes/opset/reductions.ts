/** Whose axes are an input since opset 18, and were an attribute; of ReduceSum they have been one since 13. */
export const reductions: readonly string[] = [
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMean",
  "ReduceMin",
  "ReduceProd",
  "ReduceSumSquare",
];
