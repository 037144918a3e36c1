import {
  type Expression,
  f32x4,
  i32Add,
  load,
  type Local,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { halves, lanes, loadByteSplat } from "../encode/integer-vectors.js";
import { numbersOfBytes } from "../engine.js";
import { eachBlock } from "./across-bytes.js";
import { bitsOf } from "./curve-i8.js";
import { type Kernel, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitBytes, emitRounded, roundedByte, type Rounding } from "./rounding-i8.js";

/** An operand: its bytes less a zero point. */
export interface JoinedI8 {
  readonly zeroPoint: number;
  /** How it lies along the run: next to one another, or one for all. */
  readonly lies: "lanes" | "splat";
}

/** How many steps of the result one of each operand is, or one of the product of both. */
export type Join =
  | { readonly kind: "add"; readonly factors: readonly [number, number] }
  | { readonly kind: "multiply"; readonly factor: number };

/** The sum or the product of two tensors of bytes, as bytes. */
export interface JoinI8Options {
  /** Around a run: steps of the first, the second, the output. */
  readonly axes: readonly Axis[];
  readonly run: number;
  readonly join: Join;
  readonly operands: readonly [JoinedI8, JoinedI8];
  readonly rounding: Rounding;
}

/** Vectors of 32-bit lanes that one of bytes becomes. */
const parts = vectorBytes / 4;

/**
 * Loops: axes › sixteen elements. Where an operand is the same all along the innermost axis, as a gate of channels is for
 * the pixels, that axis is the inner loop, and the operand's sixteen elements stay in registers as floats:
 *
 *     axes but the last › sixteen elements › the last axis
 *
 * A product of two whole numbers is exact before it is multiplied by its factor.
 *
 * Parameters: first, second, output.
 */
export const joinI8: Kernel<JoinI8Options> = {
  name: "join-i8",
  emit({ axes, run, join, operands, rounding }) {
    const f = new FunctionBuilder(3, numbersOfBytes);
    const number = (value: number): Expression<"i32"> => f.figure(value);
    const output = f.parameter(2);
    const halved = f.scratch("halves");
    const numbers = operands.map(() => f.vectors(parts));
    const times = (x: Vector, factor: number, which: number): Vector =>
      f32x4.multiply(x, f.spread(`factor ${which}`, bitsOf(factor)));
    const widen = (which: number): void => {
      const { zeroPoint, lies } = operands[which === 0 ? 0 : 1];
      const pointer = f.parameter(which);
      const zeros = f.spread(`zero points ${which}`, Math.imul(zeroPoint, 0x00010001));
      const [packed = halved, ...others] = numbers[which] ?? [];
      const own = [packed, ...others];
      f.set(packed, lies === "lanes" ? load(pointer) : loadByteSplat(pointer));
      const half = (from: Vector, low: Local<"v128">, high: Local<"v128">): void => {
        f.set(halved, from);
        f.set(halved, halves.subtract(halved, zeros));
        f.set(low, lanes.signedWordsOfLowHalves(halved));
        f.set(high, lanes.signedWordsOfHighHalves(halved));
      };
      const [a = packed, b = packed, c = packed, d = packed] = own;
      half(lanes.highHalvesOfBytes(packed), c, d);
      half(lanes.halvesOfBytes(packed), a, b);
      for (const value of own) {
        const real = f32x4.fromIntegers(value);
        f.set(
          value,
          join.kind === "add" ? times(real, join.factors[which === 0 ? 0 : 1], which) : real,
        );
      }
    };
    const apply = (x: Vector, y: Vector): Vector =>
      join.kind === "add" ? f32x4.add(x, y) : times(f32x4.multiply(x, y), join.factor, 0);
    /** Into the numbers of one operand, which the other one's stay beside. */
    const finish = (into: number, count: number): void => {
      const [own = [], other = []] = [numbers[into], numbers[1 - into]];
      own.forEach((number, at) => {
        f.set(number, apply(number, other[at] ?? number));
        emitRounded(f, number, rounding);
      });
      emitBytes(f, halved, own, rounding);
      f.storeBytes(output, 0, halved, count);
    };
    const steps = [...operands.map(({ lies }) => (lies === "lanes" ? 1 : 0)), 1];
    const last = axes.at(-1);
    const repeated = last === undefined ? -1 : last.steps.slice(0, 2).indexOf(0);
    /** Sixteen elements at a time, within these axes. */
    const overBlocks = (around: readonly Axis[], visit: (count: number) => void): void => {
      const inRun = () => eachBlock(f, run, vectorBytes, f.parameters, steps, visit, number);
      nest(f, around, f.parameters, inRun, number);
    };
    if (last === undefined || repeated < 0) {
      overBlocks(axes, (count) => {
        widen(0);
        widen(1);
        finish(0, count);
      });
      return f;
    }
    overBlocks(axes.slice(0, -1), (count) => {
      widen(repeated);
      const each = (): void => {
        widen(1 - repeated);
        finish(1 - repeated, count);
      };
      const moved = nest(f, [last], f.parameters, each, number);
      f.parameters.forEach((pointer, at) => {
        const bytes = -(moved[at] ?? 0);
        if (bytes !== 0) f.set(pointer, i32Add(pointer, number(bytes)));
      });
    });
    return f;
  },

  reference({ axes, run, join, operands, rounding }, { bytes }, at) {
    walk(axes, at, (pointers) => {
      for (let i = 0; i < run; i += 1) {
        const [x = 0, y = 0] = operands.map(({ zeroPoint, lies }, which) => {
          const place = (pointers[which] ?? 0) + (lies === "lanes" ? i : 0);
          return (bytes[place] ?? 0) - zeroPoint;
        });
        bytes[(pointers[2] ?? 0) + i] = roundedByte(joined(x, y, join), rounding);
      }
    });
  },
};

/** In steps of the result, rounded as floats are. */
function joined(x: number, y: number, join: Join): number {
  if (join.kind === "multiply") return Math.fround(x * y * Math.fround(join.factor));
  const [own, other] = [x, y].map((each, which) =>
    Math.fround(each * Math.fround(join.factors[which === 0 ? 0 : 1])),
  );
  return Math.fround((own ?? 0) + (other ?? 0));
}
