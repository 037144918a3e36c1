import { emitBytesDepthwise } from "./depthwise-i8-bytes.js";
import type { DepthwiseI8Options } from "./depthwise-i8-options.js";
import { emitPairsDepthwise } from "./depthwise-i8-pairs.js";
import { depthwiseI8At } from "./depthwise-i8-weights.js";
import { floatBytes, type Kernel, laneCount, vectorsOf } from "./kernel.js";
import { walk } from "./nest.js";
import { multipliesBytes, signed } from "./products-i8.js";
import { resultByte, scaled, termsAt } from "./rounding-i8.js";

/** By products of bytes where there are such, else of pairs of 16 bits. Parameters: input, weights, terms, output. */
export const depthwiseI8: Kernel<DepthwiseI8Options> = {
  name: "depthwise-i8",
  emit(options, engine) {
    return multipliesBytes(options.activations, engine)
      ? emitBytesDepthwise(options)
      : emitPairsDepthwise(options);
  },

  reference(options, memory, at) {
    const { batch, rows, columns, channels, taps, result, padded } = options;
    const { bytes } = memory;
    const written = padded ? vectorsOf(channels) * laneCount : channels;
    walk(batch, at, ([input = 0, weights = 0, terms = 0, output = 0]) => {
      walk([rows, columns], [input, output], ([x = 0, y = 0]) => {
        for (let c = 0; c < written; c += 1) {
          const { start, factor } = termsAt(memory, terms, c);
          let sum = start;
          for (let row = 0; row < taps[0].count; row += 1)
            for (let column = 0; column < taps[1].count; column += 1) {
              const from = row * (taps[0].steps[0] ?? 0) + column * (taps[1].steps[0] ?? 0);
              const weight = signed(bytes[weights + depthwiseI8At(row, column, c, 0, options)]);
              sum = (sum + (bytes[x + from + c] ?? 0) * weight) | 0;
            }
          const value = scaled(sum, factor);
          if (result.kind === "bytes") bytes[y + c] = resultByte(value, result);
          else memory.floats[y / floatBytes + c] = value;
        }
      });
    });
  },
};
