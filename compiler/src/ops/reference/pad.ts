import type { Tensor as Dense } from "@pare/runtime/format";
import { type Dim, dim, isStatic } from "../../ir/index.js";
import { convert } from "../elements/convert.js";
import { normalAxis, sourceIndices, stridesOf } from "../families/indexing.js";
import { givenNumbers, integersOf, isAbsent, numbersOf, tensorOf } from "../shape/inferred.js";
import { type Movement, movedElements } from "./movement.js";
import type { OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { take } from "../elements/take.js";

/** Where a coordinate outside 0…size−1 reads; −1 for the constant. */
function reflected(at: number, size: number, mode: string): number {
  if (at >= 0 && at < size) return at;
  switch (mode) {
    case "edge":
      return at < 0 ? 0 : size - 1;
    case "reflect": {
      if (size === 1) return 0;
      const period = 2 * (size - 1);
      const place = ((at % period) + period) % period;
      return place < size ? place : period - place;
    }
    case "wrap":
      return ((at % size) + size) % size;
    default:
      return -1;
  }
}

interface AxisPad {
  readonly axis: number;
  readonly before: Dim;
  readonly after: Dim;
}

function padded(dims: readonly number[], pads: readonly AxisPad[], mode: string): Movement {
  const strides = stridesOf(dims);
  const parts = dims.map((size, axis) => {
    const found = pads.find((pad) => pad.axis === axis);
    const before = Number(found?.before ?? 0);
    const count = size + before + Number(found?.after ?? 0);
    return Array.from({ length: Math.max(0, count) }, (_, i) => {
      const at = reflected(i - before, size, mode);
      return at < 0 ? -1 : at * (strides[axis] ?? 1);
    });
  });
  return { dims: parts.map((part) => part.length), indices: sourceIndices(parts) };
}

/** `pads` holds all the befores, then all the afters. */
function byAxis(pads: readonly Dim[], axes: readonly number[], rank: number): readonly AxisPad[] {
  return axes.map((axis, index) => ({
    axis: normalAxis(axis, rank),
    before: pads[index] ?? 0,
    after: pads[index + axes.length] ?? 0,
  }));
}

const padRow: OperatorRow = {
  name: "Pad",
  domain: "",
  inputs: parameters("data", "pads", "constant_value?", "axes?"),
  outputs: parameters("output"),
  attributes: ["mode"],
  infer(context) {
    const shape = context.shape(0);
    if (shape === undefined) return tensorOf(context.dtype(0), undefined);
    const pads = integersOf(context, 1, "pads");
    const axes = isAbsent(context, 3, "axes") ? [...shape.keys()] : numbersOf(context, 3, "axes");
    if (pads === undefined || axes === undefined)
      return tensorOf(
        context.dtype(0),
        shape.map(() => dim.unknown()),
      );
    const found = byAxis(pads, axes, shape.length);
    const result = shape.map((size, axis) => {
      const pad = found.find((candidate) => candidate.axis === axis);
      return pad === undefined ? size : dim.add(size, pad.before, pad.after);
    });
    const mode = context.attributes.string("mode", "constant");
    const isKnown = isStatic(pads) && (mode !== "constant" || pads.every((pad) => pad <= 0));
    return tensorOf(
      context.dtype(0),
      result,
      isKnown ? movedElements(context, result, (dims) => padded(dims, found, mode)) : undefined,
    );
  },
  evaluate(context) {
    const { inputs, attributes } = context;
    const from = context.input(0);
    const pads = givenNumbers(context, 1, "pads") ?? [];
    const axes = givenNumbers(context, 3, "axes") ?? [...from.dims.keys()];
    const mode = attributes.string("mode", "constant");
    const moved = padded(from.dims, byAxis(pads, axes, from.dims.length), mode);
    // Before opset 11 the value is an attribute.
    const value: Dense = {
      type: "float32",
      dims: [],
      data: Float32Array.of(attributes.float("value", 0)),
    };
    const fill = inputs[2] ?? (attributes.has("value") ? convert(value, from.type) : null);
    return [take(from, moved.indices, moved.dims, fill)];
  },
};

export const padRows: readonly OperatorRow[] = [padRow];
