import { f32x4, floats, load, type Local, type Vector } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { halves, lanes } from "../encode/integer-vectors.js";
import { roundHalfEven } from "../../ops/reference/round-half-even.js";
import { eachBlock } from "./across-bytes.js";
import { type Kernel, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitBytesOfHalves, emitRounded, type Rounding } from "./rounding-i8.js";

/** Bytes times gates of channels, of which each is the same for many pixels: both less their zero points. */
export interface GateI8Options {
  /** Around a run: steps of the first, the gates, the output. */
  readonly axes: readonly Axis[];
  /** The innermost, all along which gates stay. */
  readonly along: Axis;
  readonly run: number;
  readonly zeroPoints: readonly [number, number];
  /** How many steps of the result a step of the first times one of a gate is. */
  readonly factor: number;
  /** Of a gate that are behind its point: the more the exacter, and no gate comes to 2¹⁵ by them. */
  readonly bits: number;
  readonly rounding: Omit<Rounding, "wide">;
}

/** Of a product of halves that are behind the point. */
const productBits = 15;
/** The fewest bits of a gate that are exact enough: 255 steps by half of its last bit are no more than 1/64 of one. */
const leastBits = 13;

/** Bits behind the point of gates of a most size; undefined where that leaves too few. */
export function gateBits(most: number): number | undefined {
  const bits = Math.min(productBits, Math.floor(Math.log2(32767 / most)));
  return bits >= leastBits ? bits : undefined;
}

/**
 * Loops: axes › sixteen channels › pixels. Gates become whole numbers once, g·2ᵇ; each byte less its zero point is then a
 * half times a half, of which the upper bits are the result, rounded:
 *
 *     (x·2¹⁵⁻ᵇ · g·2ᵇ + 2¹⁴) >> 15
 *
 * Parameters: input, gates, output.
 */
export const gateI8: Kernel<GateI8Options> = {
  name: "gate-i8",
  emit({ axes, along, run, zeroPoints, factor, bits, rounding }, engine) {
    const f = new FunctionBuilder(3);
    const [input, gates, output] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const [low, high] = [f.local("v128"), f.local("v128")];
    const held = [f.local("v128"), f.local("v128")] as const;
    const [own, gate] = zeroPoints;
    const multiply = engine.fused ? halves.relaxedFractions : halves.fractions;
    /** Bytes less a zero point, as halves. */
    const widen = (from: Local<"i32">, zeroPoint: number): void => {
      f.set(low, load(from));
      f.set(high, lanes.highHalvesOfBytes(low));
      f.set(low, lanes.halvesOfBytes(low));
      if (zeroPoint === 0) return;
      for (const each of [low, high]) f.set(each, halves.subtract(each, halves.splat(zeroPoint)));
    };
    const [first, second] = [f.local("v128"), f.local("v128")];
    const fixed = (into: Local<"v128">, words: Vector): void => {
      f.set(into, f32x4.multiply(f32x4.fromIntegers(words), floats(factor * 2 ** bits)));
      emitRounded(f, into, { zeroPoint: 0, low: 0, high: 255, wide: false });
    };
    const holdGates = (): void => {
      widen(gates, gate);
      [low, high].forEach((each, at) => {
        fixed(first, lanes.signedWordsOfLowHalves(each));
        fixed(second, lanes.signedWordsOfHighHalves(each));
        f.set(held[at === 0 ? 0 : 1], lanes.halvesOfWords(first, second));
      });
    };
    nest(f, axes, f.parameters, () =>
      eachBlock(f, run, vectorBytes, f.parameters, [1, 1, 1], (count) => {
        holdGates();
        const moved = nest(f, [along], [input, gates, output], () => {
          widen(input, own);
          [low, high].forEach((each, at) => {
            const shift = productBits - bits;
            const x = shift === 0 ? each : halves.shiftLeft(each, shift);
            const product = multiply(x, held[at === 0 ? 0 : 1]);
            f.set(
              each,
              rounding.zeroPoint === 0
                ? product
                : halves.add(product, halves.splat(rounding.zeroPoint)),
            );
          });
          emitBytesOfHalves(f, low, low, high, rounding);
          f.storeBytes(output, 0, low, count);
        });
        f.parameters.forEach((pointer, at) => f.advance(pointer, -(moved[at] ?? 0)));
      }),
    );
    return f;
  },

  reference({ axes, along, run, zeroPoints, factor, bits, rounding }, { bytes }, at) {
    const [own, gate] = zeroPoints;
    const by = Math.fround(factor * 2 ** bits);
    walk([...axes, along], at, ([x = 0, y = 0, to = 0]) => {
      for (let i = 0; i < run; i += 1) {
        const g = roundHalfEven(Math.fround(((bytes[y + i] ?? 0) - gate) * by));
        const shifted = ((bytes[x + i] ?? 0) - own) << (productBits - bits);
        const product = (shifted * g + 2 ** (productBits - 1)) >> productBits;
        const { zeroPoint, low, high } = rounding;
        bytes[to + i] = Math.min(Math.max(product + zeroPoint, low), high);
      }
    });
  },
};
