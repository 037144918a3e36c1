import { floatToHalf, halfToFloat } from "@pare/runtime/format";
import {
  type Address,
  type Expression,
  f32,
  i32,
  i32Add,
  i32ShiftLeft,
  i32Subtract,
  loadFloat,
  loadHalf,
  loadInteger,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import {
  absolute,
  add,
  bitsOf,
  both,
  choose,
  either,
  floatOf,
  less,
  multiply,
  shiftRight,
} from "../encode/scalar.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { nest } from "./nest.js";

/** What a model takes or gives in float16, whose bits are read or written; a module computes with floats. */
export interface HalvesOptions {
  readonly count: number;
  readonly to: "floats" | "others";
}

const halfBytes = 2;

/** Widens exactly, rounds to the nearest, ties to even. Loops: elements. Parameters: input, output, without gaps. */
export const halves: Kernel<HalvesOptions> = {
  name: "halves",
  emit({ count, to }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [read, write] = to === "floats" ? [halfBytes, floatBytes] : [floatBytes, halfBytes];
    const bits = f.local("i32");
    nest(f, [{ count, steps: [read, write] }], f.parameters, () => {
      if (to === "floats") {
        f.set(bits, loadHalf(input));
        f.storeInteger(output, 0, widened(bits));
      } else {
        f.set(bits, loadInteger(input));
        f.storeHalf(output, 0, rounded(bits, input));
      }
    });
    return f;
  },

  reference({ count, to }, { bytes, floats }, [input = 0, output = 0]) {
    for (let at = 0; at < count; at += 1)
      if (to === "floats") {
        const place = input + at * halfBytes;
        const half = (bytes[place] ?? 0) + 256 * (bytes[place + 1] ?? 0);
        floats[output / floatBytes + at] = halfToFloat(half);
      } else {
        const half = floatToHalf(floats[input / floatBytes + at] ?? 0);
        bytes.set([half & 255, half >> 8], output + at * halfBytes);
      }
  },
};

const signOfHalf = 0x8000;
const restOfHalf = 0x7fff;
/** From here on a half is infinite or no number. */
const infiniteHalf = 0x7c00;
const infinite = 0x7f800000;
/** How many more digits a float has, and how much further from 0 its exponents begin: 2¹¹². */
const moreDigits = 13;
const rescale = 2 ** 112;

/** A half's bits as a float's. What has no leading one is brought to have one by the product, which is exact. */
function widened(half: Expression<"i32">): Expression<"i32"> {
  const rest = both(half, i32(restOfHalf));
  const moved = i32ShiftLeft(rest, i32(moreDigits));
  const number = bitsOf(multiply(floatOf(moved), f32(rescale)));
  const beyond = either(moved, i32(infinite));
  const sign = i32ShiftLeft(both(half, i32(signOfHalf)), i32(16));
  return either(sign, choose(less(rest, i32(infiniteHalf)), number, beyond));
}

/** Its bits from 2⁻¹⁴ on, from 65536 on, and those of what is no number. */
const [leastNormal, overflow] = [0x38800000, 0x47800000];

/** As `floatToHalf`: beyond 65504 infinity; below 2⁻¹⁴ a sum with ½ rounds to a multiple of 2⁻²⁴. */
function rounded(bits: Expression<"i32">, at: Address): Expression<"i32"> {
  const rest = both(bits, i32(0x7fffffff));
  const odd = both(shiftRight(rest, i32(moreDigits)), i32(1));
  const carried = i32Add(i32Subtract(rest, i32(0x38000000)), i32Add(i32(0xfff), odd));
  const small = i32Subtract(bitsOf(add(absolute(loadFloat(at)), f32(0.5))), i32(0x3f000000));
  const finite = choose(less(rest, i32(leastNormal)), small, shiftRight(carried, i32(moreDigits)));
  const large = choose(less(i32(infinite), rest), i32(0x7e00), i32(infiniteHalf));
  const sign = both(shiftRight(bits, i32(16)), i32(signOfHalf));
  return either(sign, choose(less(rest, i32(overflow)), finite, large));
}
