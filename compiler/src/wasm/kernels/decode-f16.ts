import { halfToFloat } from "@pare/runtime/format";
import { bits, f32x4, floats, i32Subtract, i32x4, integers } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { lanes, loadEightBytes } from "../encode/integer-vectors.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";

const halfBytes = 2;
/** How many more digits a float has, and by how much its exponents are larger: 2¹¹². */
const moreDigits = 13;
const rescale = 2 ** 112;

/**
 * Finite float16 numbers as floats, exactly: their bits are moved to where a float has them, and the product gives them their
 * exponent, and those that are less than 2⁻¹⁴ a leading one. Loops: vectors. Parameters: halves, the end of
 * them, output.
 */
export const decodeF16: Kernel<Readonly<Record<string, never>>> = {
  name: "decode-f16",
  emit(_, engine) {
    const f = new FunctionBuilder(3, engine.numbers);
    const [halves, end, output] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    f.repeatWhile(i32Subtract(end, halves), () => {
      // The sign comes into every bit before it, of which one is kept.
      const words = lanes.signedWordsOfLowHalves(loadEightBytes(halves));
      const moved = bits.and(i32x4.shiftLeft(words, moreDigits), integers(0x8fffe000));
      f.store(output, 0, f32x4.multiply(moved, floats(rescale)));
      f.advance(halves, laneCount * halfBytes);
      f.advance(output, vectorBytes);
    });
    return f;
  },

  reference(_, memory, [from = 0, end = 0, to = 0]) {
    const { bytes } = memory;
    for (let at = from, place = to / floatBytes; at < end; at += halfBytes, place += 1)
      memory.floats[place] = halfToFloat((bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0));
  },
};
