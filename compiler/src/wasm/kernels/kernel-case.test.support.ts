import { setFlagsFromString } from "node:v8";
import { aot } from "@pare/runtime/aot";
import * as fc from "fast-check";
import { afterAll, beforeAll } from "vitest";
import { i32 } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { ModuleBuilder, pageBytes } from "../encode/module-builder.js";
import { type Engine, engines } from "../engine.js";
import { type Kernel, memoryOver } from "./kernel.js";
import type { Unary } from "./unary.js";

// Node 20 has relaxed SIMD behind a flag. Its baseline compiler sums relaxed products of integers wrongly, which the backend
// finds out, once in a process: before a file does without that compiler, and others of the same process with it again.
const isBehindFlag = !hasRelaxed();
if (isBehindFlag) setFlagsFromString("--experimental-wasm-relaxed-simd");
await aot().probe();

/**
 * For files that add up relaxed products of integers: the baseline compiler of Node 20 does it wrongly. The other takes
 * longer, so that files which come later in the same process get the first again.
 */
export function withoutBaselineCompiler(): void {
  // Later ones sum rightly, and end where they are to do without it after they began with it.
  if (!isBehindFlag) return;
  beforeAll(() => setFlagsFromString("--no-liftoff"));
  afterAll(() => setFlagsFromString("--liftoff"));
}

/** Are there relaxed instructions here? A module that multiplies and adds three zeros is asked. */
function hasRelaxed(): boolean {
  const module = new ModuleBuilder();
  const f = new FunctionBuilder(0);
  const zero = f.local("v128");
  f.set(zero, {
    type: "v128",
    write: (code) => {
      for (let at = 0; at < 3; at += 1) zero.write(code);
      code.bytes([0xfd, 0x85, 0x02]);
    },
  });
  module.add(f, "run");
  return WebAssembly.validate(module.encode(pageBytes));
}

/** The engines that code is generated for and that run here. */
export const enginesHere: readonly Engine[] = engines.filter(
  (engine) => !engine.fused || hasRelaxed(),
);

const floatCount = 16384;
/** Where the memory of one operand begins, in bytes; the last is read and written by nobody. */
export const operandBytes = (floatCount * 4) / 8;

/** Addresses of so many operands, each with room for `operandBytes`. */
export function operands(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at * operandBytes + 64);
}

/** Memory full of numbers between −2 and 2, the same for the same seed. */
function memoryOf(seed: number): Float32Array {
  const memory = new Float32Array(floatCount);
  let state = seed | 0;
  for (let at = 0; at < floatCount; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    memory[at] = (state >> 8) / 2 ** 22;
  }
  return memory;
}

/**
 * Runs a kernel on random memory, in WebAssembly and by its reference: all of the memory is as it should be afterwards, so
 * that nothing is written that should not be.
 * @param prepare what the options refer to in memory: tables
 * @param within what a float may differ by, as a share of it, or of 1 where it is less; 0 compares every bit
 * @returns what differs, or undefined
 */
export function differenceOf<Options>(
  kernel: Kernel<Options>,
  options: Options,
  at: readonly number[],
  seed: number,
  prepare: (integers: Int32Array) => void = () => {},
  within = 2e-5,
): string | undefined {
  const start = memoryOf(seed);
  prepare(new Int32Array(start.buffer));
  const expected = new Float32Array(start);
  kernel.reference(options, memoryOver(expected.buffer), at);
  for (const engine of enginesHere) {
    const module = new ModuleBuilder();
    const own = kernel.emit(options, engine);
    const index = module.add(own);
    const run = new FunctionBuilder(0);
    run.call(index, [...at, ...own.passed].map(i32));
    module.add(run, "run");
    const compiled = new WebAssembly.Module(module.encode(floatCount * 4));
    const { exports } = new WebAssembly.Instance(compiled);
    const { memory, run: call } = exports;
    if (!(memory instanceof WebAssembly.Memory) || typeof call !== "function")
      return "the module exports something else";
    const actual = new Float32Array(memory.buffer);
    actual.set(start);
    call();
    const wrong = firstDifference(expected, actual, within);
    if (wrong >= 0)
      return `${engine.name}: float ${wrong} is ${actual[wrong]} and should be ${expected[wrong]}`;
  }
  return undefined;
}

/** The place of the first float that is another to the bit, and not within what it may differ by; −1 where there is none. */
function firstDifference(expected: Float32Array, actual: Float32Array, within: number): number {
  const [expectedBits, bits] = [new Int32Array(expected.buffer), new Int32Array(actual.buffer)];
  for (let at = 0; at < expected.length; at += 1) {
    if (expectedBits[at] === bits[at]) continue;
    const [should, is] = [expected[at] ?? Number.NaN, actual[at] ?? Number.NaN];
    if (within === 0 || !isClose(should, is, within)) return at;
  }
  return -1;
}

function isClose(expected: number, actual: number, within: number): boolean {
  if (Object.is(expected, actual) || expected === actual) return true;
  return Math.abs(expected - actual) <= within * Math.max(1, Math.abs(expected));
}

export const size = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
export const seed = fc.nat();

/** What a cell over time makes of a gate. */
export const cellFunction = fc.constantFrom<Unary>(
  { kind: "sigmoid" },
  { kind: "tanh" },
  { kind: "relu" },
  { kind: "hard-sigmoid", alpha: 0.3, beta: 0.4 },
  { kind: "elu", alpha: 0.5, within: 1 },
);
