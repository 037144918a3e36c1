import { f32x4, floats, i32x4, integers, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { lanes, loadByteSplat, loadBytesAsHalves } from "../encode/integer-vectors.js";
import { eachBlock } from "./across-bytes.js";
import { type Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitBytes, emitRounded, roundedByte, type Rounding } from "./rounding-i8.js";

/** An operand: its bytes less a zero point, times a factor. */
export interface JoinedI8 {
  readonly zeroPoint: number;
  readonly factor: number;
  /** How it lies along the run: next to one another, or one for all. */
  readonly lies: "lanes" | "splat";
}

/** The sum or the product of two tensors of bytes, as bytes. Factors say how many steps of the result a step is. */
export interface JoinI8Options {
  /** Around a run: steps of the first, the second, the output. */
  readonly axes: readonly Axis[];
  readonly run: number;
  readonly join: "add" | "multiply";
  /** Of a product, the second's factor is 1. */
  readonly operands: readonly [JoinedI8, JoinedI8];
  readonly rounding: Rounding;
}

/** Bytes that are widened at once. */
const width = 8;

/** Loops: axes › eight elements. Parameters: first, second, output. */
export const joinI8: Kernel<JoinI8Options> = {
  name: "join-i8",
  emit({ axes, run, join, operands, rounding }) {
    const f = new FunctionBuilder(3);
    const output = f.parameter(2);
    const halves = operands.map(() => f.local("v128"));
    const sums = operands.map(() => f.vectors(2));
    const packed = f.scratch("packed");
    const widen = (which: number, { zeroPoint, factor, lies }: JoinedI8): void => {
      const [x, [low, high] = []] = [halves[which], sums[which]];
      if (!x || !low || !high) return;
      const pointer = f.parameter(which);
      f.set(
        x,
        lies === "lanes" ? loadBytesAsHalves(pointer) : lanes.halvesOfBytes(loadByteSplat(pointer)),
      );
      f.set(low, lanes.wordsOfLowHalves(x));
      f.set(high, lanes.wordsOfHighHalves(x));
      for (const sum of [low, high]) {
        if (zeroPoint !== 0) f.set(sum, i32x4.subtract(sum, integers(zeroPoint)));
        const real = f32x4.fromIntegers(sum);
        f.set(sum, factor === 1 ? real : f32x4.multiply(real, floats(factor)));
      }
    };
    const apply = (x: Local<"v128">, y: Local<"v128">) =>
      join === "add" ? f32x4.add(x, y) : f32x4.multiply(x, y);
    const steps = [...operands.map(({ lies }) => (lies === "lanes" ? 1 : 0)), 1];
    nest(f, axes, f.parameters, () =>
      eachBlock(f, run, width, f.parameters, steps, (count) => {
        operands.forEach((operand, which) => widen(which, operand));
        const [first = [], second = []] = sums;
        first.forEach((sum, at) => {
          f.set(sum, apply(sum, second[at] ?? sum));
          emitRounded(f, sum, rounding);
        });
        emitBytes(f, packed, first, rounding);
        f.storeBytes(output, 0, packed, count);
      }),
    );
    return f;
  },

  reference({ axes, run, join, operands, rounding }, { bytes }, at) {
    walk(axes, at, (pointers) => {
      for (let i = 0; i < run; i += 1) {
        const [x = 0, y = 0] = operands.map(({ zeroPoint, factor, lies }, which) => {
          const place = (pointers[which] ?? 0) + (lies === "lanes" ? i : 0);
          return Math.fround(((bytes[place] ?? 0) - zeroPoint) * Math.fround(factor));
        });
        const value = Math.fround(join === "add" ? x + y : x * y);
        bytes[(pointers[2] ?? 0) + i] = roundedByte(value, rounding);
      }
    });
  },
};
