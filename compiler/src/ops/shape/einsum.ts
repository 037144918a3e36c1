import type { Dim } from "../../ir/index.js";
import { einsumLabels, einsumSizes } from "../families/einsum.js";

/** The shape that an Einsum gives. Undefined where a shape is not known or does not fit. */
export function einsumShape(
  equation: string,
  shapes: readonly (readonly Dim[] | undefined)[],
): readonly Dim[] | undefined {
  const known = shapes.filter((shape) => shape !== undefined);
  if (known.length !== shapes.length) return undefined;
  const labels = einsumLabels(
    equation,
    known.map((shape) => shape.length),
  );
  const sizes = labels === undefined ? undefined : einsumSizes(labels, known);
  if (labels === undefined || sizes === undefined) return undefined;
  return labels.result.map((label) => sizes.get(label) ?? 1);
}
