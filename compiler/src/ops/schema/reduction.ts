import { operator } from "./operator.js";

const axes = "keepdims noop_with_empty_axes";

export const reductionSchemas = {
  ReduceSum: operator("data axes? -> reduced", axes),
  ReduceMean: operator("data axes? -> reduced", axes),
  ReduceProd: operator("data axes? -> reduced", axes),
  ReduceMax: operator("data axes? -> reduced", axes),
  ReduceMin: operator("data axes? -> reduced", axes),
  ReduceSumSquare: operator("data axes? -> reduced", axes),
  ReduceL1: operator("data axes? -> reduced", axes),
  ReduceL2: operator("data axes? -> reduced", axes),
  ReduceLogSum: operator("data axes? -> reduced", axes),
  ReduceLogSumExp: operator("data axes? -> reduced", axes),
};
