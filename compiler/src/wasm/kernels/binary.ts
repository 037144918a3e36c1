import { f32x4, floats, type Vector } from "../encode/expression.js";

/** A function of two numbers. */
export type Binary = "add" | "subtract" | "multiply" | "divide" | "min" | "max" | "prelu";

const zero = floats(0);

/** `prelu`: x where it is not below 0, else x times the other. */
export function binaryVector(x: Vector, y: Vector, binary: Binary): Vector {
  switch (binary) {
    case "add":
    case "subtract":
    case "multiply":
    case "divide":
    case "min":
    case "max":
      return f32x4[binary](x, y);
    case "prelu":
      return f32x4.add(f32x4.larger(x, zero), f32x4.multiply(f32x4.smaller(x, zero), y));
    default:
      return binary satisfies never;
  }
}

export function evaluateBinary(x: number, y: number, binary: Binary): number {
  switch (binary) {
    case "add":
      return x + y;
    case "subtract":
      return x - y;
    case "multiply":
      return x * y;
    case "divide":
      return x / y;
    case "min":
      return Math.min(x, y);
    case "max":
      return Math.max(x, y);
    case "prelu":
      return x < 0 ? x * y : x;
    default:
      return binary satisfies never;
  }
}
