import {
  binary,
  integers,
  loaded,
  shift,
  simd,
  unary,
  type Vector,
  vectorOf,
} from "./expression.js";

/** Sixteen lanes of one byte. */
export const bytes = {
  smaller: binary(0x77),
  larger: binary(0x79),
  subtract: binary(0x71),
  /** For each byte of `at` that byte of the table; 0 for 16 and more. */
  lookUp: (table: Vector, at: Vector): Vector => vectorOf(0x0e, table, at),
};

/** Eight lanes of 16 bits. */
export const halves = {
  /** All lanes the same. */
  splat: (value: number): Vector => integers(Math.imul(value & 0xffff, 0x00010001)),
  add: binary(0x8e),
  subtract: binary(0x91),
  shiftLeft: shift(0x8b),
  shiftRight: shift(0x8c),
  shiftRightUnsigned: shift(0x8d),
};

/** Lanes made of half as many of twice the width, or of twice as many of half the width. */
export const lanes = {
  /** Of eight unsigned bytes, the first of the vector. */
  halvesOfBytes: unary(0x89),
  /** Of eight signed ones. */
  signedHalvesOfBytes: unary(0x87),
  /** The last eight. */
  highHalvesOfBytes: unary(0x8a),
  signedWordsOfLowHalves: unary(0xa7),
  signedWordsOfHighHalves: unary(0xa8),
  wordsOfLowHalves: unary(0xa9),
  wordsOfHighHalves: unary(0xaa),
  /** Signed, at its ends where they do not fit. */
  halvesOfWords: binary(0x85),
  /** Of signed lanes, at 0 and 255 where they do not fit. */
  bytesOfHalves: binary(0x66),
};

/** Sums of products, in lanes of 32 bits. */
export const dots = {
  /** Of neighbouring lanes of 16 bits. */
  ofHalves: binary(0xba),
  /**
   * Of four neighbouring bytes each: signed ones of x, those of y in 0…127, added to z. Exact there on every machine, of
   * relaxed SIMD.
   */
  relaxedOfBytes: (x: Vector, y: Vector, z: Vector): Vector => vectorOf(0x113, x, y, z),
};

/** Bytes of x (0…15) and y (16…31), in a new order. */
export function shuffleBytes(x: Vector, y: Vector, order: readonly number[]): Vector {
  return {
    type: "v128",
    write(code) {
      x.write(code);
      y.write(code);
      simd(code, 0x0d);
      code.bytes(order);
    },
  };
}

/** Eight signed bytes as lanes of 16 bits. */
export const loadSignedBytesAsHalves = loaded(0x01, 8);
/** Eight unsigned bytes as lanes of 16 bits. */
export const loadBytesAsHalves = loaded(0x02, 8);
/** Four bytes, and zeros behind them. */
export const loadFourBytes = loaded(0x5c, 4);
/** Eight of them. */
export const loadEightBytes = loaded(0x5d, 8);
/** One byte into all lanes. */
export const loadByteSplat = loaded(0x07, 1);
