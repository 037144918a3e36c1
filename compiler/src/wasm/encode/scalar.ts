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

/** 1 where it holds, else 0; of what is no number nothing does. */
const comparison =
  (codes: Codes) =>
  (x: Scalar, y: Scalar): Expression<"i32"> =>
    operation("i32", [codes[x.type]], x, y);

export const equal = comparison({ i32: 0x46, i64: 0x51, f32: 0x5b });

/** x where the condition is not 0, else y. */
export function choose<T extends ScalarType>(
  condition: Expression<"i32">,
  x: Expression<T>,
  y: Expression<T>,
): Expression<T> {
  return operation(x.type, [0x1b], x, y, condition);
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

/** A number of a type; of the integers only a whole one. */
export function scalar(type: ScalarType, value: number): Scalar {
  return type === "i32" ? i32(value) : type === "i64" ? i64(value) : f32(value);
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
