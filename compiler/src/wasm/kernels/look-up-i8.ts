import { i32, i32Add, i32ShiftLeft, loadByte, loadFloat } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Any function of bytes: for each that of a table, a byte or a float. */
export interface LookUpI8Options {
  /** Steps of input, output. */
  readonly axes: readonly Axis[];
  /** Bytes next to one another in the input, and how far apart results are. */
  readonly run: number;
  readonly step: number;
  readonly gives: "bytes" | "floats";
}

/** Elements that a round of the loop takes. */
const unroll = 4;

/** Loops: axes › run. Parameters: input, output, table. */
export const lookUpI8: Kernel<LookUpI8Options> = {
  name: "look-up-i8",
  emit({ axes, run, step, gives }) {
    const f = new FunctionBuilder(3);
    const [input, output, table] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const one = (at: number): void => {
      const index = loadByte(input, at);
      if (gives === "bytes") f.storeByte(output, at * step, loadByte(i32Add(table, index)));
      else {
        const found = i32Add(table, i32ShiftLeft(index, i32(2)));
        f.storeFloat(output, at * step, loadFloat(found));
      }
    };
    nest(f, axes, [input, output], () => {
      const rounds = { count: Math.floor(run / unroll), steps: [unroll, unroll * step] };
      const moved = nest(f, [rounds], [input, output], () => {
        for (let i = 0; i < unroll; i += 1) one(i);
      });
      for (let i = 0; i < run % unroll; i += 1) one(i);
      return moved;
    });
    return f;
  },

  reference({ axes, run, step, gives }, { floats, bytes }, at) {
    const [, , table = 0] = at;
    walk(axes, at.slice(0, 2), ([input = 0, output = 0]) => {
      for (let i = 0; i < run; i += 1) {
        const index = bytes[input + i] ?? 0;
        const to = output + i * step;
        if (gives === "bytes") bytes[to] = bytes[table + index] ?? 0;
        else floats[to / floatBytes] = floats[table / floatBytes + index] ?? 0;
      }
    });
  },
};
