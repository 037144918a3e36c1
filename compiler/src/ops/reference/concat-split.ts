import { elementCount, PareError } from "@pare/runtime/format";
import { type Dim, dim, tensorType } from "../../ir/index.js";
import { normalAxis, sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { givenNumbers, tensorOf } from "../shape/inferred.js";
import { type Movement, movedElements } from "./movement.js";
import type { OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";
import { join, take } from "../elements/take.js";

const concatRow: OperatorRow = {
  name: "Concat",
  domain: "",
  inputs: parameters("inputs..."),
  outputs: parameters("concat_result"),
  attributes: ["axis"],
  infer(context) {
    const inputs = [...context.node.inputs.keys()];
    const shapes = inputs.map((input) => context.shape(input));
    const known = shapes.find((shape) => shape !== undefined);
    const dtype = inputs.map((input) => context.dtype(input)).find((found) => found !== undefined);
    if (known === undefined) return tensorOf(dtype, undefined);
    const axis = normalAxis(context.attributes.int("axis", 0), known.length);
    const sizes = shapes.map((shape) => shape?.[axis] ?? dim.unknown());
    // Off the axis all agree: a number says more than a symbol.
    const shape = known.map((size, at) => {
      if (at === axis) return dim.add(...sizes);
      return shapes.map((other) => other?.[at]).find((other) => typeof other === "number") ?? size;
    });
    const parts = inputs.map((input) => context.elements(input));
    const elements =
      axis === 0 && parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    return tensorOf(dtype, shape, elements);
  },
  evaluate({ inputs, attributes }) {
    const tensors = inputs.filter((input) => input !== null);
    const [first] = tensors;
    if (first === undefined) throw new PareError("MODEL_SHAPE", "Concat needs an input.");
    const axis = normalAxis(attributes.int("axis", 0), first.dims.length);
    const inner = elementCount(first.dims.slice(axis + 1));
    const outer = elementCount(first.dims.slice(0, axis));
    const starts: number[] = [];
    let total = 0;
    for (const tensor of tensors) {
      starts.push(total);
      total += elementCount(tensor.dims);
    }
    const indices = new Int32Array(total);
    let at = 0;
    for (let i = 0; i < outer; i += 1) {
      tensors.forEach((tensor, which) => {
        const length = (tensor.dims[axis] ?? 1) * inner;
        const start = (starts[which] ?? 0) + i * length;
        for (let j = 0; j < length; j += 1, at += 1) indices[at] = start + j;
      });
    }
    const size = tensors.reduce((sum, tensor) => sum + (tensor.dims[axis] ?? 1), 0);
    const dims = first.dims.map((extent, which) => (which === axis ? size : extent));
    return [take(join(tensors), indices, dims)];
  },
};

/** The first `count` of equal parts, the last of all smaller where they do not come out even. */
function evenParts(size: Dim, count: number, parts: number): readonly Dim[] {
  const part = dim.ceilDiv(size, parts);
  const last = dim.subtract(size, dim.multiply(parts - 1, part));
  return Array.from({ length: count }, (_, index) => (index === parts - 1 ? last : part));
}

function section(dims: readonly number[], axis: number, start: number, length: number): Movement {
  const strides = stridesOf(dims);
  const result = dims.map((size, at) => (at === axis ? length : size));
  const offset = start * (strides[axis] ?? 1);
  return {
    dims: result,
    indices: sourceIndices(
      result.map((size, at) => steps(size, strides[at] ?? 0)),
      offset,
    ),
  };
}

const splitRow: OperatorRow = {
  name: "Split",
  domain: "",
  inputs: parameters("input", "split?"),
  outputs: parameters("outputs..."),
  attributes: ["axis", "num_outputs"],
  infer(context) {
    const { node, attributes } = context;
    const dtype = context.dtype(0);
    const shape = context.shape(0);
    if (shape === undefined)
      return node.outputs.map(() => ({ type: tensorType(dtype, undefined) }));
    const axis = normalAxis(attributes.int("axis", 0), shape.length);
    const given = context.elements(1) ?? attributes.ints("split");
    const isGiven = (node.inputs[1] ?? null) !== null;
    const sizes =
      given ??
      (isGiven
        ? node.outputs.map(() => dim.unknown())
        : evenParts(
            shape[axis] ?? dim.unknown(),
            node.outputs.length,
            attributes.int("num_outputs", node.outputs.length),
          ));
    let start: Dim = 0;
    return node.outputs.map((_, index) => {
      const size = sizes[index] ?? dim.unknown();
      const from = start;
      start = dim.add(start, size);
      const part = shape.map((extent, at) => (at === axis ? size : extent));
      const elements =
        typeof from === "number" && typeof size === "number"
          ? movedElements(context, part, (dims) => section(dims, axis, from, size))
          : undefined;
      return { type: tensorType(dtype, part), elements };
    });
  },
  evaluate(context) {
    const { attributes, outputs } = context;
    const from = context.input(0);
    const axis = normalAxis(attributes.int("axis", 0), from.dims.length);
    const sizes =
      givenNumbers(context, 1, "split") ??
      evenParts(from.dims[axis] ?? 1, outputs, attributes.int("num_outputs", outputs)).map(Number);
    let start = 0;
    return sizes.map((size) => {
      const moved = section(from.dims, axis, start, size);
      start += size;
      return take(from, moved.indices, moved.dims);
    });
  },
};

export const concatSplitRows: readonly OperatorRow[] = [concatRow, splitRow];
