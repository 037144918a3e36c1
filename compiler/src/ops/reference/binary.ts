import {
  elementCount,
  PareError,
  type Tensor as Dense,
  type TypedArray,
} from "@pare/runtime/format";
import {
  isFloat,
  isWide,
  type NumberArray,
  pack,
  unpack,
  unpackNumbers,
  workingArray,
} from "../elements/arrays.js";
import { take } from "../elements/take.js";
import { broadcastDims } from "../families/broadcast.js";
import { broadcastIndices } from "../families/indexing.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { binarySchemas } from "../schema/binary.js";
import type { Some } from "../schema/cells.js";
import type { Evaluation } from "./evaluation.js";

/** z = f(x, y) for every pair of elements; `integer` and `wide` (64 bits) where integers differ from floats. */
export interface BinaryMath {
  readonly number: (attributes: AttributeReader) => (x: number, y: number) => number;
  readonly integer?: (x: number, y: number) => number;
  readonly wide?: (attributes: AttributeReader) => (x: bigint, y: bigint) => bigint;
}

function pairwise(math: BinaryMath): Evaluation {
  return ({ input, attributes }) => [evaluateBinary(math, input(0), input(1), attributes)];
}

/** The result has the dtype of `a`. @throws PareError MODEL_SHAPE where the operands do not go together */
export function evaluateBinary(
  math: BinaryMath,
  a: Dense,
  b: Dense,
  attributes: AttributeReader,
): Dense {
  const dims = broadcastDims(a.dims, b.dims);
  const to = workingArray(a.type, elementCount(dims));
  const x = broadcast(a, dims);
  const y = broadcast(b, dims);
  if (isWide(x) !== isWide(y)) throw mismatch(a, b);
  if (isWide(x)) {
    const f = math.wide?.(attributes);
    if (f === undefined || !isWide(y)) throw mismatch(a, b);
    for (let i = 0; i < to.length; i += 1) to[i] = f(x[i] ?? 0n, y[i] ?? 0n);
  } else {
    const f = isFloat(a.type) ? math.number(attributes) : (math.integer ?? math.number(attributes));
    const [right, result] = [y as NumberArray, to as NumberArray];
    for (let i = 0; i < result.length; i += 1) result[i] = f(x[i] ?? 0, right[i] ?? 0);
  }
  return pack(a.type, dims, to);
}

function mismatch(a: Dense, b: Dense): PareError {
  return new PareError("MODEL_SHAPE", `${a.type} and ${b.type} do not go together.`);
}

/** An operand's elements, one for each of the result's. */
export function broadcast(operand: Dense, dims: readonly number[]): TypedArray {
  const count = elementCount(dims);
  if (elementCount(operand.dims) === count) return unpack(operand);
  return unpack(take(operand, broadcastIndices(operand.dims, dims), dims));
}

/** The remainder with the divisor's sign, as Python's. */
const remainder = (x: number, y: number): number => (y === 0 ? 0 : x - y * Math.floor(x / y));

/** By squares, each held to 64 bits: the whole number could have more digits than there is memory. */
function widePower(base: bigint, power: bigint): bigint {
  let [result, square] = [1n, base];
  for (let rest = power; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = BigInt.asIntN(64, result * square);
    square = BigInt.asIntN(64, square * square);
  }
  return result;
}

/** A shift by less than nothing would be one the other way, by any number of bits. */
const isShift = (by: bigint): boolean => by >= 0n && by < 64n;

export const binaryReferences: Some<typeof binarySchemas, Evaluation> = {
  Add: pairwise({ number: () => (x, y) => x + y, wide: () => (x, y) => x + y }),
  Sub: pairwise({ number: () => (x, y) => x - y, wide: () => (x, y) => x - y }),
  Mul: pairwise({
    number: () => (x, y) => x * y,
    integer: Math.imul,
    wide: () => (x, y) => x * y,
  }),
  Div: pairwise({
    number: () => (x, y) => x / y,
    integer: (x, y) => Math.trunc(x / y),
    wide: () => (x, y) => (y === 0n ? 0n : x / y),
  }),
  Mod: pairwise({
    number: (attributes) => (attributes.int("fmod", 0) === 1 ? (x, y) => x % y : remainder),
    wide: (attributes) =>
      attributes.int("fmod", 0) === 1
        ? (x, y) => (y === 0n ? 0n : x % y)
        : (x, y) => (y === 0n ? 0n : ((x % y) + y) % y),
  }),
  /** The exponent may be of another dtype than the base. */
  Pow({ input }) {
    const dims = broadcastDims(input(0).dims, input(1).dims);
    const base = broadcast(input(0), dims);
    const exponent = unpackNumbers(take(input(1), broadcastIndices(input(1).dims, dims), dims));
    const to = workingArray(input(0).type, exponent.length);
    exponent.forEach((power, i) => {
      const x = base[i] ?? 0;
      if (typeof x === "number") (to as NumberArray)[i] = powerOf(x, power);
      else
        to[i] =
          Number.isInteger(power) && power >= 0
            ? widePower(x, BigInt(power))
            : BigInt(Math.trunc(Math.pow(Number(x), power)));
    });
    return [pack(input(0).type, dims, to)];
  },
  PRelu: pairwise({
    number: () => (x, slope) => (x < 0 ? slope * x : x),
    wide: () => (x, slope) => (x < 0n ? slope * x : x),
  }),
  BitwiseAnd: pairwise({ number: () => (x, y) => x & y, wide: () => (x, y) => x & y }),
  BitwiseOr: pairwise({ number: () => (x, y) => x | y, wide: () => (x, y) => x | y }),
  BitwiseXor: pairwise({ number: () => (x, y) => x ^ y, wide: () => (x, y) => x ^ y }),
  BitShift: pairwise({
    number: (attributes) =>
      attributes.string("direction") === "RIGHT"
        ? (x, y) => (y > 31 ? 0 : x >>> y)
        : (x, y) => (y > 31 ? 0 : x << y),
    wide: (attributes) =>
      attributes.string("direction") === "RIGHT"
        ? (x, y) => (isShift(y) ? x >> y : 0n)
        : (x, y) => (isShift(y) ? x << y : 0n),
  }),
};

/** As C and IEEE 754 have it: JavaScript's own says of 1 to the power of what is no number, and of ±1 to that of infinity, NaN. */
function powerOf(base: number, exponent: number): number {
  const isOne = base === 1 || (base === -1 && Math.abs(exponent) === Infinity);
  return isOne ? 1 : Math.pow(base, exponent);
}
