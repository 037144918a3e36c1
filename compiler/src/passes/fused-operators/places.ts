import { attribute, codeOfDtype, type Dim, Tensor, type ValueId } from "../../ir/index.js";
import type { Step } from "../opset/adapter.js";

/** An axis of a value. The node's words are no graph yet whose shapes are known: its size, where it is, comes along. */
export interface Axis {
  readonly of: ValueId;
  readonly axis: number;
  readonly size: Dim | undefined;
}

/** How many places there are, as an int64 of shape [1]. */
export function lengthOf(step: Step, { of, axis, size }: Axis): ValueId {
  if (typeof size === "number") return step.int64("length", [size]);
  const ends = { start: attribute.int(axis), end: attribute.int(axis + 1) };
  return step.add("Shape", [of], ends);
}

/** 0, 1, … of shape [length], as int32: the numbers in which onnxruntime counts places. */
export function placesOf(step: Step, axis: Axis): ValueId {
  const { size } = axis;
  if (typeof size === "number" && size <= mostHeld) {
    const counted = Int32Array.from({ length: size }, (_, place) => place);
    const body = step.graph.body(step.node.body);
    return step.editor.constant("places", Tensor.of("int32", [size], counted), body);
  }
  const length = step.add("Squeeze", [lengthOf(step, axis), step.int64("axes", [0])]);
  const first = step.int64("first", [0], []);
  const counted = step.add("Range", [first, length, step.int64("by", [1], [])]);
  return step.add("Cast", [counted], { to: attribute.int(codeOfDtype("int32")) });
}

/** More are counted in each run. */
const mostHeld = 4096;
