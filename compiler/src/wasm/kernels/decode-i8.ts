import {
  f32x4,
  i32,
  i32Add,
  i32Multiply,
  i32ShiftRight,
  load,
  loadInteger,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { lanes, loadFourBytes, loadSignedBytesAsHalves } from "../encode/integer-vectors.js";
import { both } from "../encode/scalar.js";
import { type Kernel, laneCount, vectorBytes } from "./kernel.js";

export interface DecodeOptions {
  /** Of a row. */
  readonly vectors: number;
}

const blockBytes = 4;
/** A block is one integer: how many rows it has, and by how many vectors its scales lie behind those of the block before. */
const rowBits = 12;
export const mostRows = 2 ** rowBits - 1;
export const mostSteps = 2 ** (31 - rowBits) - 1;

/** As the function reads it. None has no rows, which ends them. */
export function blockOf(rows: number, steps: number): number {
  return (steps << rowBits) | rows;
}

/**
 * Signed bytes times the scale of their column, as floats: what DequantizeLinear says, to the bit. Rows that follow on one
 * another and share a row of scales are a block. Loops: blocks, whose scales are held › rows. Parameters: bytes, blocks as
 * `blockOf` makes them and a 0, scales, output.
 */
export const decodeI8: Kernel<DecodeOptions> = {
  name: "decode-i8",
  emit({ vectors }, engine) {
    const f = new FunctionBuilder(4, engine.numbers);
    const [codes, blocks] = [f.parameter(0), f.parameter(1)];
    const [scales, output] = [f.parameter(2), f.parameter(3)];
    const held = f.vectors(vectors);
    const x = f.local("v128");
    const left = f.local("i32");
    const row = (): void => {
      for (let v = 0; v < vectors; v += 2) {
        const isPair = v + 1 < vectors;
        const at = v * laneCount;
        f.set(
          x,
          isPair
            ? loadSignedBytesAsHalves(codes, at)
            : lanes.signedHalvesOfBytes(loadFourBytes(codes, at)),
        );
        const halves = [lanes.signedWordsOfLowHalves, lanes.signedWordsOfHighHalves];
        for (const [half, words] of halves.slice(0, isPair ? 2 : 1).entries()) {
          const numbers = f32x4.fromIntegers(words(x));
          f.store(output, (v + half) * vectorBytes, f32x4.multiply(numbers, held[v + half] ?? x));
        }
      }
      f.advance(codes, vectors * laneCount);
      f.advance(output, vectors * vectorBytes);
      f.set(left, i32Add(left, i32(-1)));
    };
    const next = (): void => f.set(left, loadInteger(blocks));
    next();
    f.repeatWhile(left, () => {
      const moved = i32Multiply(i32ShiftRight(left, i32(rowBits)), i32(vectorBytes));
      f.set(scales, i32Add(scales, moved));
      f.set(left, both(left, i32(mostRows)));
      held.forEach((local, v) => f.set(local, load(scales, v * vectorBytes)));
      f.repeatWhile(left, row);
      f.advance(blocks, blockBytes);
      next();
    });
    return f;
  },

  reference(
    { vectors },
    { floats, integers, signedBytes },
    [code = 0, block = 0, scales = 0, to = 0],
  ) {
    const width = vectors * laneCount;
    let [at, scale] = [0, scales / 4];
    for (let pair = block / 4; ; pair += 1) {
      const said = integers[pair] ?? 0;
      const end = at + (said & mostRows) * width;
      if (at === end) return;
      scale += (said >> rowBits) * laneCount;
      for (; at < end; at += 1)
        floats[to / 4 + at] = (signedBytes[code + at] ?? 0) * (floats[scale + (at % width)] ?? 0);
    }
  },
};
