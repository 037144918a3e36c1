import { f32x4, type Local, type Vector } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { emitUnary, evaluateUnary, type Unary } from "./unary.js";

/** What is done to a result before it is stored: functions, and one other tensor joined in: a residual or a gate. */
export type Epilogue = Unary | { readonly kind: "add-other" } | { readonly kind: "multiply-other" };

export function emitEpilogue(
  f: FunctionBuilder,
  x: Local<"v128">,
  other: Vector,
  epilogue: readonly Epilogue[],
  fused: boolean,
): void {
  for (const part of epilogue) {
    if (part.kind === "add-other") f.set(x, f32x4.add(x, other));
    else if (part.kind === "multiply-other") f.set(x, f32x4.multiply(x, other));
    else emitUnary(f, x, part, fused);
  }
}

export function evaluateEpilogue(x: number, other: number, epilogue: readonly Epilogue[]): number {
  let value = x;
  for (const part of epilogue) {
    if (part.kind === "add-other") value += other;
    else if (part.kind === "multiply-other") value *= other;
    else value = evaluateUnary(value, part);
  }
  return value;
}

export function usesOther(epilogue: readonly Epilogue[]): boolean {
  return epilogue.some(({ kind }) => kind === "add-other" || kind === "multiply-other");
}

type Pointer = Local<"i32">;

/** Of what sums over weights: input, weights, bias, output, other. */
export function parametersOf(
  f: FunctionBuilder,
): readonly [input: Pointer, weights: Pointer, bias: Pointer, output: Pointer, other: Pointer] {
  return [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3), f.parameter(4)];
}
