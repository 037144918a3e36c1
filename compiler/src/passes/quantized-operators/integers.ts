import type { Dtype } from "@pare/runtime/format";
import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";

/** Operators on integers carry how these stand for numbers as inputs; in the words of ai.onnx a node before says it. */
type Bytes = "uint8" | "int8";

/**
 * An input as numbers: its integers, and behind them their scale and zero point.
 * @param axis along which there may be several
 * @param factor by which its scale is multiplied
 */
export function decoded(step: Step, at: number, axis?: number, factor = 1): ValueId {
  const x = operand(step, at);
  const dtype = bytesAt(step, at);
  const scales = numbersAt(step, at + 1, "float32") ?? step.refuse("a scale is missing");
  const zeros = numbersAt(step, at + 2, dtype) ?? [0];
  const count = Math.max(scales.length, zeros.length);
  const isEach = (list: readonly number[]): boolean => list.length === 1 || list.length === count;
  if (!isEach(scales) || !isEach(zeros))
    return step.refuse("its scales and zero points are not as many");
  if (count > 1 && (axis === undefined || step.shape(at)?.[axis] !== count))
    return step.refuse("its scales are neither one nor one for each channel of its result");
  const each = (list: readonly number[]): readonly number[] =>
    list.length === count ? list : Array.from({ length: count }, () => list[0] ?? 0);
  return step.add(
    "DequantizeLinear",
    [
      x,
      ...inSteps(
        step,
        each(scales).map((scale) => scale * factor),
        each(zeros),
        dtype,
      ),
    ],
    count > 1 && axis !== undefined ? { axis: attribute.int(axis) } : {},
  );
}

/** The largest scale of an input. */
export function scaleAt(step: Step, at: number): number {
  return Math.max(...(numbersAt(step, at + 1, "float32") ?? [0]));
}

/** Numbers as integers. @param fallback the type where no zero point says it */
export function encoded(
  step: Step,
  value: ValueId,
  scaleAt: number,
  zeroAt: number,
  fallback?: Bytes,
): ValueId {
  const scale = numbersAt(step, scaleAt, "float32") ?? step.refuse("a scale is missing");
  const dtype = step.input(zeroAt) === undefined ? fallback : bytesAt(step, zeroAt);
  if (dtype === undefined) return step.refuse("a zero point is missing");
  const zero = numbersAt(step, zeroAt, dtype) ?? [0];
  if (scale.length !== 1 || zero.length !== 1)
    return step.refuse("its result has more than one scale or zero point");
  return step.add("QuantizeLinear", [value, ...inSteps(step, scale, zero, dtype)]);
}

/** Of which bytes an input is. */
export function bytesAt(step: Step, at: number): Bytes {
  const dtype = step.dtype(at);
  return dtype === "uint8" || dtype === "int8"
    ? dtype
    : step.refuse(`it computes with ${dtype ?? "a type that is not known"}`);
}

/** The numbers of a scale or zero point; undefined where it is left out. */
function numbersAt(step: Step, at: number, dtype: Dtype): readonly number[] | undefined {
  const id = step.input(at);
  if (id === undefined) return undefined;
  const constant = step.graph.constant(id);
  const numbers = constant?.numbers();
  if (constant === undefined || numbers === undefined)
    return step.refuse("its scales and zero points must be constant");
  if (constant.dtype !== dtype) return step.refuse("a scale or zero point is of another type");
  // More than one lie along one axis.
  const isRow = constant.dims.slice(0, -1).every((size) => size === 1);
  if (numbers.length === 0 || !isRow) return step.refuse("its scales and zero points are no row");
  return numbers;
}

/**
 * What is added to sums of products of integers, an int32 constant, as numbers: its steps are those of the products.
 * @param factor by which products are multiplied besides
 * @returns nothing where it is left out
 */
export function decodedBias(
  step: Step,
  at: number,
  { a, b, factor = 1 }: { readonly a: number; readonly b: number; readonly factor?: number },
): readonly ValueId[] {
  const id = step.input(at);
  if (id === undefined) return [];
  const constant = step.graph.constant(id);
  if (constant?.dtype !== "int32") return step.refuse("its bias must be a constant of int32");
  const [one = 1] = numbersAt(step, a, "float32") ?? [];
  const others = numbersAt(step, b, "float32") ?? [];
  const scales = others.map((other) => Math.fround(Math.fround(factor * one) * other));
  const axis = constant.dims.length - 1;
  if (scales.length > 1 && constant.dims[axis] !== scales.length)
    return step.refuse("its bias is not as long as there are scales");
  const attributes = scales.length > 1 ? { axis: attribute.int(axis) } : {};
  return [step.add("DequantizeLinear", [id, scaleOf(step, scales)], attributes)];
}

function scaleOf(step: Step, scales: readonly number[]): ValueId {
  return step.float32("scale", scales, dimsOf(scales));
}

/** Scales and zero points as constants. */
export function inSteps(
  step: Step,
  scales: readonly number[],
  zeros: readonly number[],
  dtype: Bytes,
): readonly [scale: ValueId, zeroPoint: ValueId] {
  const data = dtype === "uint8" ? Uint8Array.from(zeros) : Int8Array.from(zeros);
  const zeroPoint = Tensor.of(dtype, dimsOf(zeros), data);
  const body = step.graph.body(step.node.body);
  return [scaleOf(step, scales), step.editor.constant("zero_point", zeroPoint, body)];
}

function dimsOf(numbers: readonly number[]): readonly number[] {
  return numbers.length === 1 ? [] : [numbers.length];
}
