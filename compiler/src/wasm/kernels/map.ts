import {
  bits,
  floats,
  laneMask,
  load,
  loadSplat,
  type Local,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { type Binary, binaryVector, evaluateBinary } from "./binary.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitUnary, evaluateUnary, type Unary } from "./unary.js";

/** An input by its position, what an earlier instruction gave, or a number. */
export type Operand =
  | { readonly input: number }
  | { readonly result: number }
  | { readonly constant: number };

export type Instruction =
  | { readonly binary: Binary; readonly x: Operand; readonly y: Operand }
  | { readonly unary: Unary; readonly x: Operand };

/** Elementwise computation with broadcasting: a small program on the elements that lie at one place. */
export interface MapOptions {
  /** Around the lanes; steps of the inputs, then of the output. A step of 0 repeats. */
  readonly axes: readonly Axis[];
  readonly lanes: number;
  /** How each input lies along the lanes: next to one another, or one for all. */
  readonly inputs: readonly ("lanes" | "splat")[];
  /** The last one's result is stored. */
  readonly program: readonly Instruction[];
  /** What is behind the last lane, up to a whole vector, is the output's own. It becomes 0. */
  readonly padded: boolean;
}

/** Loops: axes › vectors. Parameters: the inputs, the output. */
export const map: Kernel<MapOptions> = {
  name: "map",
  emit(options) {
    const { axes, lanes, inputs, program, padded } = options;
    const f = new FunctionBuilder(inputs.length + 1);
    const output = f.parameter(inputs.length);
    const results = program.map(() => f.local("v128"));

    const operand = (from: Operand, offset: number): Vector => {
      if ("constant" in from) return floats(from.constant);
      if ("result" in from) return results[from.result] ?? floats(0);
      const pointer = f.parameter(from.input);
      return inputs[from.input] === "lanes" ? load(pointer, offset) : loadSplat(pointer);
    };
    const compute = (offset: number): Local<"v128"> => {
      program.forEach((instruction, at) => {
        const result = results[at];
        if (result === undefined) return;
        if ("unary" in instruction) {
          f.set(result, operand(instruction.x, offset));
          emitUnary(f, result, instruction.unary);
        } else {
          const { x, y, binary } = instruction;
          f.set(result, binaryVector(operand(x, offset), operand(y, offset), binary));
        }
      });
      return results.at(-1) ?? f.scratch("nothing");
    };

    const whole = Math.floor(lanes / laneCount);
    const tail = lanes % laneCount;
    const unroll = whole % 4 === 0 && program.length <= 4 ? 4 : 1;
    const steps = [...inputs.map((kind) => (kind === "lanes" ? vectorBytes : 0)), vectorBytes];
    nest(f, axes, f.parameters, () => {
      const vectors = { count: whole / unroll, steps: steps.map((step) => step * unroll) };
      const moved = nest(f, [vectors], f.parameters, () => {
        for (let u = 0; u < unroll; u += 1)
          f.store(output, u * vectorBytes, compute(u * vectorBytes));
      });
      if (tail === 0) return moved;
      const last = compute(0);
      if (padded) f.store(output, 0, bits.and(last, laneMask(tail)));
      else f.storeLanes(output, 0, last, tail);
      return moved;
    });
    return f;
  },

  reference({ axes, lanes, inputs, program, padded }, { floats: memory }, at) {
    walk(axes, at, (pointers) => {
      const to = (pointers[inputs.length] ?? 0) / floatBytes;
      for (let lane = 0; lane < lanes; lane += 1) {
        const results: number[] = [];
        const operand = (from: Operand): number => {
          if ("constant" in from) return Math.fround(from.constant);
          if ("result" in from) return results[from.result] ?? 0;
          const place = (pointers[from.input] ?? 0) / floatBytes;
          return memory[place + (inputs[from.input] === "lanes" ? lane : 0)] ?? 0;
        };
        for (const instruction of program) {
          const value =
            "unary" in instruction
              ? evaluateUnary(operand(instruction.x), instruction.unary)
              : evaluateBinary(operand(instruction.x), operand(instruction.y), instruction.binary);
          results.push(Math.fround(value));
        }
        memory[to + lane] = results.at(-1) ?? 0;
      }
      if (padded) memory.fill(0, to + lanes, to + vectorsOf(lanes) * laneCount);
    });
  },
};
