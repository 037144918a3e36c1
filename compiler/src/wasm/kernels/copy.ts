import { i32, i32Add, loadInteger, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel, vectorBytes } from "./kernel.js";
import { moveBytes, moveRun, moveStraight, type Run } from "./run.js";

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
  /** What lies next to one another in both. */
  readonly run: Run;
}

/** Loops: axes › run. Parameters: input, output, table of 32-bit offsets. */
export const copy: Kernel<CopyOptions> = {
  name: "copy",
  emit({ axes, run }) {
    const f = new FunctionBuilder(3);
    const [source, output, table] = [f.parameter(0), f.parameter(1), f.parameter(2)];

    const loops = (level: number, input: Local<"i32">): readonly number[] => {
      const axis = axes[level];
      if (axis === undefined) return moveRun(f, run, input, output);
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
      const bytes = (run.units + run.zeros) * run.unit;
      const isShort = level === axes.length - 1 && bytes <= vectorBytes && inputStep >= 0;
      const unroll = isShort ? ([8, 4, 3, 2].find((u) => count % u === 0) ?? 1) : 1;
      f.times(count / unroll, () => {
        if (unroll > 1) {
          for (let u = 0; u < unroll; u += 1)
            moveStraight(f, run, input, output, u * inputStep, u * step);
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

  reference({ axes, run }, memory, at) {
    const [source = 0, target = 0, table = 0] = at;
    const loops = (level: number, input: number, output: number): void => {
      const axis = axes[level];
      if (axis === undefined) return moveBytes(memory, run, input, output);
      for (let i = 0; i < axis.count; i += 1) {
        const offset =
          "table" in axis.input
            ? (memory.integers[(table + axis.input.table) / floatBytes + i] ?? 0)
            : i * axis.input.step;
        loops(level + 1, input + offset, output + i * axis.output);
      }
    };
    loops(0, source, target);
  },
};
