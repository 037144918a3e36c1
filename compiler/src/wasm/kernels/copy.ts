import {
  f32,
  i32Add,
  load,
  loadByte,
  loadFloat,
  loadInteger,
  type Local,
  i32,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector } from "./across-lanes.js";
import { floatBytes, type Kernel, vectorBytes } from "./kernel.js";

/** A loop around what is copied. Where the input's places are no multiples of a step, a table lists them. */
export interface CopyAxis {
  readonly count: number;
  readonly output: number;
  /** A step, or where in the table the offsets begin. */
  readonly input: { readonly step: number } | { readonly table: number };
}

/** Elements into another order: layouts, slices, gathers, repetitions, whatever is a sum of offsets by axis. */
export interface CopyOptions {
  readonly axes: readonly CopyAxis[];
  /** Bytes that are copied as one, whatever they mean. A 64-bit integer is two units of four. */
  readonly unit: 1 | 4;
  /** Units next to one another, in both. */
  readonly run: number;
  /** Units of zero written behind each run. */
  readonly zeros: number;
}

/** A run of up to so many bytes is copied without a loop. */
const straight = 128;

/** Loops: axes › run. Parameters: input, output, table of 32-bit offsets. */
export const copy: Kernel<CopyOptions> = {
  name: "copy",
  emit({ axes, unit, run, zeros }) {
    const f = new FunctionBuilder(3);
    const [source, output, table] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const perVector = vectorBytes / unit;
    const whole = run - (run % perVector);

    /** What no whole vector holds: units, then zeros. */
    const copyRest = (input: Local<"i32">, from: number, to: number): void => {
      for (let i = 0; i < (run % perVector) + zeros; i += 1) {
        const isZero = i >= run % perVector;
        const at = i * unit;
        if (unit === 1) f.storeByte(output, to + at, isZero ? i32(0) : loadByte(input, from + at));
        else f.storeFloat(output, to + at, isZero ? f32(0) : loadFloat(input, from + at));
      }
    };
    const copyRun = (input: Local<"i32">, from: number, to: number): void => {
      for (let at = 0; at < whole * unit; at += vectorBytes)
        f.store(output, to + at, load(input, from + at));
      copyRest(input, from + whole * unit, to + whole * unit);
    };
    const leaf = (input: Local<"i32">): readonly number[] => {
      if (run * unit <= straight) {
        copyRun(input, 0, 0);
        return [0, 0];
      }
      const words = (whole * unit) / floatBytes;
      const moved = eachVector(f, words, [input, output], (offset) =>
        f.store(output, offset, load(input, offset)),
      );
      copyRest(input, 0, 0);
      return moved;
    };

    const loops = (level: number, input: Local<"i32">): readonly number[] => {
      const axis = axes[level];
      if (axis === undefined) return leaf(input);
      const { count, output: step } = axis;
      if ("table" in axis.input) {
        const [at, found] = [f.local("i32"), f.local("i32")];
        f.set(at, i32Add(table, i32(axis.input.table)));
        f.times(count, () => {
          f.set(found, i32Add(input, loadInteger(at)));
          const [, moved = 0] = loops(level + 1, found);
          f.advance(at, floatBytes);
          f.advance(output, step - moved);
        });
        return [0, count * step];
      }
      const inputStep = axis.input.step;
      const isShort =
        level === axes.length - 1 && (run + zeros) * unit <= vectorBytes && inputStep >= 0;
      const unroll = isShort ? ([8, 4, 3, 2].find((u) => count % u === 0) ?? 1) : 1;
      f.times(count / unroll, () => {
        if (unroll > 1) {
          for (let u = 0; u < unroll; u += 1) copyRun(input, u * inputStep, u * step);
          f.advance(input, unroll * inputStep);
          f.advance(output, unroll * step);
          return;
        }
        const [movedIn = 0, movedOut = 0] = loops(level + 1, input);
        f.advance(input, inputStep - movedIn);
        f.advance(output, step - movedOut);
      });
      return [count * inputStep, count * step];
    };
    loops(0, source);
    return f;
  },

  reference({ axes, unit, run, zeros }, { bytes, integers }, at) {
    const [source = 0, target = 0, table = 0] = at;
    const loops = (level: number, input: number, output: number): void => {
      const axis = axes[level];
      if (axis === undefined) {
        bytes.copyWithin(output, input, input + run * unit);
        bytes.fill(0, output + run * unit, output + (run + zeros) * unit);
        return;
      }
      for (let i = 0; i < axis.count; i += 1) {
        const offset =
          "table" in axis.input
            ? (integers[(table + axis.input.table) / floatBytes + i] ?? 0)
            : i * axis.input.step;
        loops(level + 1, input + offset, output + i * axis.output);
      }
    };
    loops(0, source, target);
  },
};
