import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { type EinsumLabels, einsumLabels, einsumSizes } from "../families/einsum.js";
import { sourceIndices, steps, stridesOf } from "../families/indexing.js";
import type { EvaluateContext } from "./evaluation.js";

/** Every product of one element from each operand, summed over the labels that the result lacks. */
export function evaluateEinsum({ inputs, input, attributes }: EvaluateContext): readonly Dense[] {
  const equation = attributes.string("equation", "");
  const operands = inputs.map((_, index) => input(index));
  const shapes = operands.map(({ dims }) => dims);
  const labels = einsumLabels(
    equation,
    shapes.map(({ length }) => length),
  );
  const sizes = labels === undefined ? undefined : einsumSizes(labels, shapes);
  if (labels === undefined || sizes === undefined) {
    throw new PareError(
      "MODEL_SHAPE",
      `${equation} does not fit ${shapes.map((dims) => `[${dims.join(", ")}]`).join(" and ")}.`,
    );
  }
  const sizeOf = (label: string): number => Number(sizes.get(label) ?? 1);
  const given = new Set(labels.result);
  const summed = [...sizes.keys()].filter((label) => !given.has(label));
  const kept = placesOf(labels, shapes, labels.result, sizeOf);
  const within = placesOf(labels, shapes, summed, sizeOf);
  const numbers = operands.map(unpackNumbers);
  const dims = labels.result.map(sizeOf);
  const count = elementCount(summed.map(sizeOf));
  const values = new Float64Array(elementCount(dims));
  for (let i = 0; i < values.length; i += 1) {
    let sum = 0;
    for (let k = 0; k < count; k += 1) {
      let product = 1;
      for (const [index, own] of numbers.entries())
        product *= own[(kept[index]?.[i] ?? 0) + (within[index]?.[k] ?? 0)] ?? 0;
      sum += product;
    }
    values[i] = sum;
  }
  return [denseOf(input(0).type, dims, values)];
}

/** By operand, how far each of these labels' coordinates are from its first element. */
function placesOf(
  { operands }: EinsumLabels,
  shapes: readonly (readonly number[])[],
  labels: readonly string[],
  sizeOf: (label: string) => number,
): readonly Int32Array[] {
  return operands.map((own, index) => {
    const shape = shapes[index] ?? [];
    const strides = new Map<string, number>();
    for (const [axis, stride] of stridesOf(shape).entries()) {
      const label = own[axis] ?? "";
      if (shape[axis] !== 1) strides.set(label, (strides.get(label) ?? 0) + stride);
    }
    return sourceIndices(labels.map((label) => steps(sizeOf(label), strides.get(label) ?? 0)));
  });
}
