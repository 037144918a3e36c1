import { f32x4, load } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { lanes, loadFourBytes, loadSignedBytesAsHalves } from "../encode/integer-vectors.js";
import { type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { nest, walk } from "./nest.js";

/** Floats in blocks, in each of which the rows have one row of scales. */
export interface DecodeOptions {
  readonly blocks: number;
  readonly rows: number;
  /** Of a row. */
  readonly vectors: number;
}

/**
 * Signed bytes times the scale of their column, as floats: what DequantizeLinear says, to the bit. Loops: blocks, whose
 * scales are held › rows. Parameters: bytes, scales, output.
 */
export const decodeI8: Kernel<DecodeOptions> = {
  name: "decode-i8",
  emit({ blocks, rows, vectors }, engine) {
    const f = new FunctionBuilder(3, engine.numbers);
    const [codes, scales, output] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const held = f.vectors(vectors);
    const x = f.local("v128");
    const [from, to] = [vectors * laneCount, vectors * vectorBytes];
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
    };
    const number = (value: number) => f.figure(value);
    const each = { count: rows, steps: [from, 0, to] };
    const block = { count: blocks, steps: [rows * from, to, rows * to] };
    nest(
      f,
      [block],
      f.parameters,
      () => {
        held.forEach((local, v) => f.set(local, load(scales, v * vectorBytes)));
        return nest(f, [each], f.parameters, row, number);
      },
      number,
    );
    return f;
  },

  reference({ blocks, rows, vectors }, { floats, signedBytes }, at) {
    const width = vectors * laneCount;
    const axes = [
      { count: blocks, steps: [rows * width, width, rows * width] },
      { count: rows, steps: [width, 0, width] },
      { count: width, steps: [1, 1, 1] },
    ];
    const [codes = 0, scales = 0, output = 0] = at;
    walk(axes, [codes, scales / 4, output / 4], ([code = 0, scale = 0, to = 0]) => {
      floats[to] = (signedBytes[code] ?? 0) * (floats[scale] ?? 0);
    });
  },
};
