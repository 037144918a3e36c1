import {
  bits,
  f32x4,
  floats,
  integers,
  laneMask,
  load,
  loadSplat,
  type Local,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { type Binary, emitBinary, evaluateBinary } from "./binary.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import {
  chooseVector,
  compareNumbers,
  type Comparison,
  compareVectors,
  evaluateLogic,
  joinTruths,
  type Logic,
} from "./truth.js";
import { emitUnary, evaluateUnary, type Unary } from "./unary.js";

/** An input by its position, what an earlier instruction gave, or a number. */
export type Operand =
  | { readonly input: number }
  | { readonly result: number }
  | { readonly constant: number };

/** Floats are computed with, compared, and chosen by truth values: lanes of 0 or 1. */
export type Instruction =
  | { readonly binary: Binary; readonly x: Operand; readonly y: Operand }
  | { readonly unary: Unary; readonly x: Operand }
  | { readonly comparison: Comparison; readonly x: Operand; readonly y: Operand }
  | { readonly logic: Logic; readonly x: Operand; readonly y: Operand }
  /** x where the truth value is 1, else y. */
  | { readonly choice: Operand; readonly x: Operand; readonly y: Operand }
  /** A truth value, or another integer of 32 bits, as a float. */
  | { readonly number: Operand };

/** Elementwise computation with broadcasting: a small program on the lanes that lie at one place. */
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
  emit(options, engine) {
    const { axes, lanes, inputs, program, padded } = options;
    const f = new FunctionBuilder(inputs.length + 1);
    const output = f.parameter(inputs.length);
    const results = program.map(() => f.local("v128"));

    const operand = (from: Operand, offset: number, number = floats): Vector => {
      if ("constant" in from) return number(from.constant);
      if ("result" in from) return results[from.result] ?? floats(0);
      const pointer = f.parameter(from.input);
      return inputs[from.input] === "lanes" ? load(pointer, offset) : loadSplat(pointer);
    };
    const compute = (offset: number): Local<"v128"> => {
      const get = (from: Operand): Vector => operand(from, offset);
      const getTruth = (from: Operand): Vector => operand(from, offset, integers);
      program.forEach((instruction, at) => {
        const result = results[at];
        if (result === undefined) return;
        if ("unary" in instruction) {
          f.set(result, get(instruction.x));
          emitUnary(f, result, instruction.unary, engine.fused);
        } else if ("number" in instruction) {
          f.set(result, f32x4.fromIntegers(getTruth(instruction.number)));
        } else if ("logic" in instruction) {
          const { x, y, logic } = instruction;
          f.set(result, joinTruths(getTruth(x), getTruth(y), logic));
        } else if ("choice" in instruction) {
          const { x, y, choice } = instruction;
          f.set(result, chooseVector(getTruth(choice), get(x), get(y)));
        } else if ("comparison" in instruction) {
          const { x, y, comparison } = instruction;
          f.set(result, compareVectors(get(x), get(y), comparison));
        } else {
          emitBinary(f, result, get(instruction.x), get(instruction.y), instruction.binary);
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

  reference({ axes, lanes, inputs, program, padded }, { integers: memory }, at) {
    const { floatOf, bitsOf } = lane();
    walk(axes, at, (pointers) => {
      const to = (pointers[inputs.length] ?? 0) / floatBytes;
      for (let i = 0; i < lanes; i += 1) {
        const results: number[] = [];
        /** Bits, as a lane has them. */
        const operand = (from: Operand, isFloat = true): number => {
          if ("constant" in from) return isFloat ? bitsOf(from.constant) : from.constant;
          if ("result" in from) return results[from.result] ?? 0;
          const place = (pointers[from.input] ?? 0) / floatBytes;
          return memory[place + (inputs[from.input] === "lanes" ? i : 0)] ?? 0;
        };
        const float = (from: Operand): number => floatOf(operand(from));
        const truth = (from: Operand): number => operand(from, false);
        const valueOf = (instruction: Instruction): number => {
          if ("unary" in instruction)
            return bitsOf(evaluateUnary(float(instruction.x), instruction.unary));
          if ("number" in instruction) return bitsOf(truth(instruction.number));
          const { x, y } = instruction;
          if ("logic" in instruction) return evaluateLogic(truth(x), truth(y), instruction.logic);
          if ("choice" in instruction) return operand(truth(instruction.choice) === 1 ? x : y);
          if ("comparison" in instruction)
            return compareNumbers(float(x), float(y), instruction.comparison);
          return bitsOf(evaluateBinary(float(x), float(y), instruction.binary));
        };
        for (const instruction of program) results.push(valueOf(instruction));
        memory[to + i] = results.at(-1) ?? 0;
      }
      if (padded) memory.fill(0, to + lanes, to + vectorsOf(lanes) * laneCount);
    });
  },
};

/** A float's bits, and the float of bits. */
function lane() {
  const floatLane = new Float32Array(1);
  const bitsLane = new Int32Array(floatLane.buffer);
  return {
    bitsOf: (value: number): number => {
      floatLane[0] = value;
      return bitsLane[0] ?? 0;
    },
    floatOf: (pattern: number): number => {
      bitsLane[0] = pattern;
      return floatLane[0] ?? 0;
    },
  };
}
