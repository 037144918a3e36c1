import {
  f32,
  i32Add,
  load,
  loadFloat,
  loadInteger,
  type Local,
  i32,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount } from "./kernel.js";

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
  /** Floats next to one another, in both. */
  readonly run: number;
  /** Zeros written behind each run. */
  readonly zeros: number;
}

/** Up to this many floats of a run are copied without a loop. */
const straight = 32;

/** Loops: axes › run. Parameters: input, output, table of 32-bit offsets. */
export const copy: Kernel<CopyOptions> = {
  name: "copy",
  emit({ axes, run, zeros }) {
    const f = new FunctionBuilder(3);
    const [source, output, table] = [f.parameter(0), f.parameter(1), f.parameter(2)];

    const float = (input: Local<"i32">, from: number, to: number) =>
      f.storeFloat(output, to, loadFloat(input, from));
    const copyRun = (input: Local<"i32">, from: number, to: number): void => {
      const whole = run - (run % laneCount);
      for (let i = 0; i < whole; i += laneCount)
        f.store(output, to + i * floatBytes, load(input, from + i * floatBytes));
      for (let i = whole; i < run; i += 1) float(input, from + i * floatBytes, to + i * floatBytes);
      for (let i = run; i < run + zeros; i += 1) f.storeFloat(output, to + i * floatBytes, f32(0));
    };
    const leaf = (input: Local<"i32">): readonly number[] => {
      if (run <= straight) {
        copyRun(input, 0, 0);
        return [0, 0];
      }
      const moved = eachVector(f, run - (run % laneCount), [input, output], (offset) =>
        f.store(output, offset, load(input, offset)),
      );
      for (let i = 0; i < run % laneCount; i += 1) float(input, i * floatBytes, i * floatBytes);
      for (let i = 0; i < zeros; i += 1)
        f.storeFloat(output, ((run % laneCount) + i) * floatBytes, f32(0));
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
      const isShort = level === axes.length - 1 && run + zeros <= laneCount && inputStep >= 0;
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

  reference({ axes, run, zeros }, { floats, integers }, at) {
    const [source = 0, target = 0, table = 0] = at;
    const loops = (level: number, input: number, output: number): void => {
      const axis = axes[level];
      if (axis === undefined) {
        const [from, to] = [input / floatBytes, output / floatBytes];
        floats.copyWithin(to, from, from + run);
        floats.fill(0, to + run, to + run + zeros);
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
