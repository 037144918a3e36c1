import { bits, f32x4, i32x4, integers, type Vector } from "../encode/expression.js";

/** What two numbers are to one another; of what is no number nothing holds. */
export type Comparison = "equal" | "less" | "less-or-equal";
export type Logic = "and" | "or" | "exclusive-or";

const one = integers(1);

/** Truth values are lanes of 0 or 1. */
export function compareVectors(x: Vector, y: Vector, comparison: Comparison): Vector {
  switch (comparison) {
    case "equal":
      return bits.and(f32x4.equal(x, y), one);
    case "less":
      return bits.and(f32x4.less(x, y), one);
    case "less-or-equal":
      return bits.and(f32x4.lessOrEqual(x, y), one);
    default:
      return comparison satisfies never;
  }
}

export function compareNumbers(x: number, y: number, comparison: Comparison): number {
  const holds = comparison === "equal" ? x === y : comparison === "less" ? x < y : x <= y;
  return holds ? 1 : 0;
}

export function joinTruths(x: Vector, y: Vector, logic: Logic): Vector {
  switch (logic) {
    case "and":
      return bits.and(x, y);
    case "or":
      return bits.or(x, y);
    case "exclusive-or":
      return bits.exclusiveOr(x, y);
    default:
      return logic satisfies never;
  }
}

export function evaluateLogic(x: number, y: number, logic: Logic): number {
  return logic === "and" ? x & y : logic === "or" ? x | y : x ^ y;
}

/** x where the truth value is 1, else y. */
export function chooseVector(truth: Vector, x: Vector, y: Vector): Vector {
  return bits.select(x, y, i32x4.negate(truth));
}
