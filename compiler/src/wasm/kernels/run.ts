import { f32, i32, load, loadByte, loadFloat, type Local } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector } from "./across-lanes.js";
import { floatBytes, type Memory, vectorBytes } from "./kernel.js";

/** Bytes next to one another that are moved as they are. */
export interface Run {
  /** Bytes that are moved as one. A 64-bit integer is two units of four. */
  readonly unit: 1 | 4;
  readonly units: number;
  /** Units of zero written behind them. */
  readonly zeros: number;
}

/** A run of up to so many bytes is moved without a loop. */
const straight = 128;

/** Moves a run without a loop, from and to an offset. */
export function moveStraight(
  f: FunctionBuilder,
  { unit, units, zeros }: Run,
  input: Local<"i32">,
  output: Local<"i32">,
  from = 0,
  to = 0,
): void {
  const whole = units - (units % (vectorBytes / unit));
  for (let at = 0; at < whole * unit; at += vectorBytes)
    f.store(output, to + at, load(input, from + at));
  for (let i = whole; i < units + zeros; i += 1) {
    const at = i * unit;
    if (unit === 1) f.storeByte(output, to + at, i < units ? loadByte(input, from + at) : i32(0));
    else f.storeFloat(output, to + at, i < units ? loadFloat(input, from + at) : f32(0));
  }
}

/** Moves a run. @returns by how much the pointers are moved */
export function moveRun(
  f: FunctionBuilder,
  run: Run,
  input: Local<"i32">,
  output: Local<"i32">,
): readonly number[] {
  const { unit, units } = run;
  if (units * unit <= straight) {
    moveStraight(f, run, input, output);
    return [0, 0];
  }
  const rest = units % (vectorBytes / unit);
  const floats = ((units - rest) * unit) / floatBytes;
  const moved = eachVector(f, floats, [input, output], (offset) =>
    f.store(output, offset, load(input, offset)),
  );
  moveStraight(f, { ...run, units: rest }, input, output);
  return moved;
}

export function moveBytes(
  { bytes }: Memory,
  { unit, units, zeros }: Run,
  input: number,
  output: number,
): void {
  bytes.copyWithin(output, input, input + units * unit);
  bytes.fill(0, output + units * unit, output + (units + zeros) * unit);
}
