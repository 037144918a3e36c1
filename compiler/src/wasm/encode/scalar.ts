import type { ValueType } from "./code.js";
import { type Expression, i32, f32 } from "./expression.js";

/** What one number is computed as. */
export type ScalarType = Exclude<ValueType, "v128">;
export type Scalar = Expression<ScalarType>;

type Codes = Readonly<Record<ScalarType, number>>;

function operation<T extends ValueType>(
  type: T,
  opcode: readonly number[],
  ...operands: readonly Expression<ValueType>[]
): Expression<T> {
  return {
    type,
    write(code) {
      for (const operand of operands) operand.write(code);
      code.bytes(opcode);
    },
  };
}

/** Of two numbers of one type, another. */
const arithmetic =
  (codes: Codes) =>
  <T extends ScalarType>(x: Expression<T>, y: Expression<T>): Expression<T> =>
    operation(x.type, [codes[x.type]], x, y);

/** 1 where it holds, else 0; of what is no number nothing does. */
const comparison =
  (codes: Codes) =>
  (x: Scalar, y: Scalar): Expression<"i32"> =>
    operation("i32", [codes[x.type]], x, y);

export const add = arithmetic({ i32: 0x6a, i64: 0x7c, f32: 0x92 });
export const subtract = arithmetic({ i32: 0x6b, i64: 0x7d, f32: 0x93 });
export const multiply = arithmetic({ i32: 0x6c, i64: 0x7e, f32: 0x94 });
/** Of integers towards zero; a division by zero ends the run. */
export const divide = arithmetic({ i32: 0x6d, i64: 0x7f, f32: 0x95 });
export const equal = comparison({ i32: 0x46, i64: 0x51, f32: 0x5b });
export const less = comparison({ i32: 0x48, i64: 0x53, f32: 0x5d });
export const lessOrEqual = comparison({ i32: 0x4c, i64: 0x57, f32: 0x5f });

/** Downwards to an integer, and to the nearest, ties to even; they stay floats. */
export const floor = (x: Expression<"f32">) => operation("f32", [0x8e], x);
export const nearest = (x: Expression<"f32">) => operation("f32", [0x90], x);

type Integer = Expression<"i32" | "i64">;
type IntegerCodes = Readonly<Record<"i32" | "i64", number>>;

const ofIntegers =
  (codes: IntegerCodes) =>
  <T extends "i32" | "i64">(x: Expression<T>, y: Expression<T>): Expression<T> =>
    operation(x.type, [codes[x.type]], x, y);

/** What is left of a division towards zero: it has the sign of x. */
export const remainder = ofIntegers({ i32: 0x6f, i64: 0x81 });
export const exclusiveOr = ofIntegers({ i32: 0x73, i64: 0x85 });
export const both = ofIntegers({ i32: 0x71, i64: 0x83 });
export const either = ofIntegers({ i32: 0x72, i64: 0x84 });
/** Zeros come from the left. */
export const shiftRight = ofIntegers({ i32: 0x76, i64: 0x88 });

export const absolute = (x: Expression<"f32">) => operation("f32", [0x8b], x);
/** A float as the integer whose bits it has, and back. */
export const bitsOf = (x: Expression<"f32">) => operation("i32", [0xbc], x);
export const floatOf = (x: Expression<"i32">) => operation("f32", [0xbe], x);

const unsignedLess: IntegerCodes = { i32: 0x49, i64: 0x54 };

/** Of both as they are without a sign. */
export function lessUnsigned(x: Integer, y: Integer): Expression<"i32"> {
  return operation("i32", [unsignedLess[x.type]], x, y);
}

/** x where the condition is not 0, else y. */
export function choose<T extends ScalarType>(
  condition: Expression<"i32">,
  x: Expression<T>,
  y: Expression<T>,
): Expression<T> {
  return operation(x.type, [0x1b], x, y, condition);
}

export function isZero(x: Expression<"i32">): Expression<"i32"> {
  return operation("i32", [0x45], x);
}

export function i64(value: number | bigint): Expression<"i64"> {
  return {
    type: "i64",
    write(code) {
      code.byte(0x42);
      code.signedLong(BigInt(value));
    },
  };
}

const numbers: { readonly [T in ScalarType]: (value: number) => Expression<T> } = { i32, i64, f32 };

/** A number of a type; of the integers only a whole one. */
export function scalar<T extends ScalarType>(type: T, value: number): Expression<T> {
  return numbers[type](value);
}

/** Of an integer without its higher bits, of a float towards zero and to the nearest that there is. */
export function toInteger(x: Scalar): Expression<"i32"> {
  if (x.type === "i64") return operation("i32", [0xa7], x);
  return x.type === "f32" ? operation("i32", [0xfc, 0x00], x) : operation("i32", [], x);
}

export function toLong(x: Scalar): Expression<"i64"> {
  if (x.type === "i32") return operation("i64", [0xac], x);
  return x.type === "f32" ? operation("i64", [0xfc, 0x04], x) : operation("i64", [], x);
}

export function toFloat(x: Scalar): Expression<"f32"> {
  if (x.type === "i32") return operation("f32", [0xb2], x);
  return x.type === "i64" ? operation("f32", [0xb4], x) : operation("f32", [], x);
}
