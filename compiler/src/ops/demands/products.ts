import { broadcastShapes } from "../families/broadcast.js";
import { type Demand, differ, isOther } from "./demand.js";

const misfit = "its matrices do not fit";

const product: Demand = (context) => {
  const [a, b] = [context.shape(0), context.shape(1)];
  if (a === undefined || b === undefined) return undefined;
  return differ(a.at(-1), b.length > 1 ? b.at(-2) : b[0]) ? misfit : undefined;
};

const gemm: Demand = (context) => {
  const [a, b, c] = [0, 1, 2].map((input) => context.shape(input));
  if (a === undefined || b === undefined) return undefined;
  if (a.length !== 2 || b.length !== 2) return "its operands are no matrices";
  const turned = ["transA", "transB"].map((name) => context.attributes.int(name, 0) !== 0);
  const [rows, depth] = turned[0] === true ? [a[1], a[0]] : a;
  const [other, columns] = turned[1] === true ? [b[1], b[0]] : b;
  if (differ(depth, other)) return misfit;
  if (c === undefined || rows === undefined || columns === undefined) return undefined;
  const joined = broadcastShapes([[rows, columns], c]);
  return joined === undefined || isOther(joined, [rows, columns])
    ? "its third operand does not fit its product"
    : undefined;
};

export const productDemands = { MatMul: product, MatMulInteger: product, Gemm: gemm };
