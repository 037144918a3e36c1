import type { ByteWriter } from "./byte-writer.js";
import type { Code, ValueType } from "./code.js";

/** The binary format's code of a type. */
export const typeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  v128: 0x7b,
};

/** What leaves one value of a type on WebAssembly's stack, by what writes its instructions. */
export interface Expression<T extends ValueType> {
  readonly type: T;
  readonly write: (code: Code) => void;
}

/** A local variable: as an expression, its value. */
export interface Local<T extends ValueType> extends Expression<T> {
  readonly index: number;
}

/** Four lanes of 32 bits. */
export type Vector = Expression<"v128">;
export type Address = Expression<"i32">;

/** Before the opcode of every instruction on vectors. */
export const simdPrefix = 0xfd;

export function simd(code: ByteWriter, opcode: number): void {
  code.byte(simdPrefix);
  code.unsigned(opcode);
}

export function localGet<T extends ValueType>(type: T, index: number): Local<T> {
  return {
    type,
    index,
    write(code) {
      code.byte(0x20);
      code.unsigned(index);
    },
  };
}

/** Sets a local and is its value. */
export function tee<T extends ValueType>(local: Local<T>, value: Expression<T>): Expression<T> {
  return {
    type: local.type,
    write(code) {
      value.write(code);
      code.byte(0x22);
      code.unsigned(local.index);
    },
  };
}

/** An instruction of SIMD, its operands before it. */
export function vectorOf(opcode: number, ...operands: readonly Expression<ValueType>[]): Vector {
  return {
    type: "v128",
    write(code) {
      for (const operand of operands) operand.write(code);
      simd(code, opcode);
    },
  };
}

export const unary =
  (opcode: number) =>
  (x: Vector): Vector =>
    vectorOf(opcode, x);
export const binary =
  (opcode: number) =>
  (x: Vector, y: Vector): Vector =>
    vectorOf(opcode, x, y);
export const shift =
  (opcode: number) =>
  (x: Vector, bits: number): Vector =>
    vectorOf(opcode, x, i32(bits));

function scalarBinary(opcode: number) {
  return (x: Expression<"i32">, y: Expression<"i32">): Expression<"i32"> => ({
    type: "i32",
    write(code) {
      x.write(code);
      y.write(code);
      code.byte(opcode);
    },
  });
}

export function i32(value: number): Expression<"i32"> {
  return {
    type: "i32",
    write(code) {
      code.byte(0x41);
      code.signed(value);
    },
  };
}

export const i32Add = scalarBinary(0x6a);
export const i32Subtract = scalarBinary(0x6b);
export const i32ShiftLeft = scalarBinary(0x74);
/** The sign stays. */
export const i32ShiftRight = scalarBinary(0x75);
export const i32Multiply = scalarBinary(0x6c);
/** 1 where the first is greater, as signed integers, else 0. */
export const i32Greater = scalarBinary(0x4a);

/** A vector of the bytes that are given. */
export function constant(lanes: Uint8Array): Vector {
  return {
    type: "v128",
    write(code) {
      simd(code, 0x0c);
      code.bytes(lanes);
    },
  };
}

/** Four lanes of one float, or the four floats that are given. */
export function floats(...values: readonly number[]): Vector {
  const lanes = values.length === 4 ? values : [0, 1, 2, 3].map(() => values[0] ?? 0);
  return constant(new Uint8Array(Float32Array.from(lanes).buffer));
}

export function doubles(value: number): Vector {
  return constant(new Uint8Array(Float64Array.of(value, value).buffer));
}

export function integers(...values: readonly number[]): Vector {
  const lanes = values.length === 4 ? values : [0, 1, 2, 3].map(() => values[0] ?? 0);
  return constant(new Uint8Array(Int32Array.from(lanes).buffer));
}

/** All bits set in the first `count` lanes. */
export function laneMask(count: number): Vector {
  return integers(...[0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0)));
}

/** Instructions on four floats; `smaller` and `larger` give their first operand unless the other is beyond it. */
export const f32x4 = {
  splat: (x: Expression<"f32">): Vector => vectorOf(0x13, x),
  add: binary(0xe4),
  subtract: binary(0xe5),
  multiply: binary(0xe6),
  divide: binary(0xe7),
  /** As IEEE 754-2019 minimum, and slow: four instructions on x86. */
  min: binary(0xe8),
  max: binary(0xe9),
  /** y < x ? y : x: a NaN of x stays. */
  smaller: binary(0xea),
  /** x < y ? y : x: a NaN of x stays. */
  larger: binary(0xeb),
  absolute: unary(0xe0),
  negate: unary(0xe1),
  squareRoot: unary(0xe3),
  ceil: unary(0x67),
  floor: unary(0x68),
  /** To the nearest integer, ties to even. */
  nearest: unary(0x6a),
  equal: binary(0x41),
  notEqual: binary(0x42),
  less: binary(0x43),
  lessOrEqual: binary(0x45),
  toIntegers: unary(0xf8),
  fromIntegers: unary(0xfa),
  /** x·y + z, rounded once or twice as the machine does; of relaxed SIMD. */
  relaxedMultiplyAdd: (x: Vector, y: Vector, z: Vector): Vector => vectorOf(0x105, x, y, z),
};

export const i32x4 = {
  splat: (x: Expression<"i32">): Vector => vectorOf(0x11, x),
  add: binary(0xae),
  subtract: binary(0xb1),
  multiply: binary(0xb5),
  /** All bits of a lane, or none. */
  greater: binary(0x3b),
  negate: unary(0xa1),
  shiftLeft: shift(0xab),
  shiftRight: shift(0xac),
};

/** Instructions on two doubles, and between them and floats. */
export const f64x2 = {
  /** The two lower floats. */
  fromFloats: unary(0x5f),
  /** As the two lower floats; the upper two are 0. */
  toFloats: unary(0x5e),
  /** As the two lower integers, nearest to zero; the upper two are 0. */
  toIntegers: unary(0xfc),
  nearest: unary(0x94),
  truncate: unary(0x7a),
  add: binary(0xf0),
  subtract: binary(0xf1),
  multiply: binary(0xf2),
  divide: binary(0xf3),
};

export const bits = {
  and: binary(0x4e),
  or: binary(0x50),
  exclusiveOr: binary(0x51),
  /** Bits of x where the mask has ones, else those of y. */
  select: (x: Vector, y: Vector, mask: Vector): Vector => vectorOf(0x52, x, y, mask),
};

/** Is no byte of x zero? 1 or 0. */
export function allBytes(x: Vector): Expression<"i32"> {
  return {
    type: "i32",
    write(code) {
      x.write(code);
      simd(code, 0x63);
    },
  };
}

/** 32-bit lanes of x (0…3) and y (4…7), in a new order. */
export function shuffle(x: Vector, y: Vector, lanes: readonly number[]): Vector {
  return {
    type: "v128",
    write(code) {
      x.write(code);
      y.write(code);
      simd(code, 0x0d);
      code.bytes(lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)));
    },
  };
}

export function extractFloat(x: Vector, lane: number): Expression<"f32"> {
  return {
    type: "f32",
    write(code) {
      x.write(code);
      simd(code, 0x1f);
      code.byte(lane);
    },
  };
}

/** An instruction that loads a vector of what so many bytes hold. */
export function loaded(opcode: number, bytes: number) {
  return (at: Address, offset = 0): Vector => ({
    type: "v128",
    write(code) {
      at.write(code);
      code.access([simdPrefix, opcode], { offset, bytes, writes: false });
    },
  });
}

export const load = loaded(0x00, 16);
/** One float into the first lane, two into the first two; zeros in the others. */
const loadFirst = loaded(0x5c, 4);
const loadFirstTwo = loaded(0x5d, 8);
/** One float into all four lanes. */
export const loadSplat = loaded(0x09, 4);

/** One float from memory into a lane of x. */
export function loadLane(x: Vector, lane: number, at: Address, offset = 0): Vector {
  return {
    type: "v128",
    write(code) {
      at.write(code);
      x.write(code);
      code.access([simdPrefix, 0x56], { offset, bytes: 4, writes: false, above: "v128" });
      code.byte(lane);
    },
  };
}

/** So many floats, one to three, into the first lanes; zeros in the others. */
export function loadSome(count: number, at: Address, offset = 0): Vector {
  if (count === 1) return loadFirst(at, offset);
  const two = loadFirstTwo(at, offset);
  return count === 2 ? two : loadLane(two, 2, at, offset + 8);
}

function scalarLoad<T extends "i32" | "i64" | "f32">(type: T, opcode: number, bytes: number) {
  return (at: Address, offset = 0): Expression<T> => ({
    type,
    write(code) {
      at.write(code);
      code.access([opcode], { offset, bytes, writes: false });
    },
  });
}

export const loadFloat = scalarLoad("f32", 0x2a, 4);
export const loadInteger = scalarLoad("i32", 0x28, 4);
export const loadLong = scalarLoad("i64", 0x29, 8);
export const loadByte = scalarLoad("i32", 0x2d, 1);
/** Sixteen bits, without a sign. */
export const loadHalf = scalarLoad("i32", 0x2f, 2);
export const loadSignedByte = scalarLoad("i32", 0x2c, 1);

export function f32(value: number): Expression<"f32"> {
  return {
    type: "f32",
    write(code) {
      code.byte(0x43);
      code.float32(value);
    },
  };
}
