import { type Expression, i32, i32Add, loadFloat, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import {
  add,
  choose,
  isZero,
  less,
  lessUnsigned,
  multiply,
  scalar,
  toInteger,
} from "../encode/scalar.js";
import { elementAt, loadElement } from "./element-access.js";
import { type Binary, evaluateBinary } from "./binary.js";
import { floatBytes, type Kernel, type Memory } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { moveBytes, moveRun, type Run } from "./run.js";

/** How an update is joined with what is there; without it, it takes its place. */
export type Join = Extract<Binary, "add" | "multiply" | "min" | "max">;

/** Runs of a table whose places are computed: they are read, or written from rows. */
export interface GatherOptions {
  /** Around: steps of the indices, the table, the rows. */
  readonly axes: readonly Axis[];
  readonly index: "i32" | "i64";
  /** Indices that together say a place, so many bytes apart: of each, how many there are and a step of the table. */
  readonly tuple: readonly { readonly size: number; readonly step: number }[];
  readonly tupleStep: number;
  /** Around a run: steps of the table, the rows. */
  readonly inner: readonly Axis[];
  readonly run: Run;
  readonly direction: "read" | "write";
  /** Of floats, one by one. */
  readonly join: Join | "none";
}

/**
 * An index below 0 counts from the end; one that lies outside ends the run with an error, as it does everywhere.
 * Loops: axes › inner › run. Parameters: indices, table, rows.
 */
export const gather: Kernel<GatherOptions> = {
  name: "gather",
  emit({ axes, index, tuple, tupleStep, inner, run, direction, join }) {
    const f = new FunctionBuilder(3);
    const [indices, table, rows] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const [place, found] = [f.local("i32"), f.local(index)];
    nest(f, axes, f.parameters, () => {
      f.set(place, table);
      for (const [at, { size, step }] of tuple.entries()) {
        const whole = scalar(index, size);
        f.set(found, loadElement(index, indices, at * tupleStep));
        f.set(found, choose(less(found, scalar(index, 0)), add(found, whole), found));
        f.trapWhen(isZero(lessUnsigned(found, whole)));
        f.set(place, i32Add(place, multiply(toInteger(found), i32(step))));
      }
      const [, moved = 0] = nest(f, inner, [place, rows], () => {
        if (join !== "none") return joinFloat(f, place, rows, join);
        if (direction === "read") return moveRun(f, run, place, rows);
        return [...moveRun(f, run, rows, place)].reverse();
      });
      return [0, 0, moved];
    });
    return f;
  },

  reference({ axes, index, tuple, tupleStep, inner, run, direction, join }, memory, at) {
    walk(axes, at, ([indices = 0, table = 0, rows = 0]) => {
      let start = table;
      for (const [component, { size, step }] of tuple.entries()) {
        const given = Number(elementAt(memory, index, indices + component * tupleStep));
        const found = given < 0 ? given + size : given;
        if (!(found >= 0 && found < size)) throw new RangeError(`There is no element ${given}.`);
        start += found * step;
      }
      walk(inner, [start, rows], ([place = 0, row = 0]) => {
        if (join !== "none") joinNumber(memory, place, row, join);
        else if (direction === "read") moveBytes(memory, run, place, row);
        else moveBytes(memory, run, row, place);
      });
    });
  },
};

function joinFloat(f: FunctionBuilder, place: Local<"i32">, row: Local<"i32">, join: Join): void {
  const [x, y] = [loadFloat(place), loadFloat(row)];
  const joined: Readonly<Record<Join, Expression<"f32">>> = {
    add: add(x, y),
    multiply: multiply(x, y),
    min: choose(less(y, x), y, x),
    max: choose(less(x, y), y, x),
  };
  f.storeFloat(place, 0, joined[join]);
}

function joinNumber({ floats }: Memory, place: number, row: number, join: Join): void {
  const at = place / floatBytes;
  floats[at] = evaluateBinary(floats[at] ?? 0, floats[row / floatBytes] ?? 0, join);
}
