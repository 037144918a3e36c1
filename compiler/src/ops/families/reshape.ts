import { type Dim, dim, product } from "../../ir/index.js";
import { normalAxis } from "./indexing.js";

/** What a Reshape to `target` gives: 0 copies a dim (unless `allowZero`), −1 is what is left. */
export function reshapedShape(
  shape: readonly Dim[] | undefined,
  target: readonly Dim[],
  allowZero: boolean,
): readonly Dim[] {
  const result = target.map((size, axis) =>
    size === 0 && !allowZero ? (shape?.[axis] ?? dim.unknown()) : size,
  );
  const open = target.indexOf(-1);
  if (open < 0) return result;
  const rest = product(result.filter((_, axis) => axis !== open));
  result[open] =
    shape === undefined || rest === 0 ? dim.unknown() : dim.floorDiv(product(shape), rest);
  return result;
}

export function squeezed<D extends Dim>(
  shape: readonly D[],
  axes: readonly number[] | undefined,
): D[] {
  const dropped = new Set(axes?.map((axis) => normalAxis(axis, shape.length)));
  return shape.filter((size, axis) => (axes === undefined ? size !== 1 : !dropped.has(axis)));
}

export function unsqueezed<D extends Dim>(shape: readonly D[], axes: readonly number[]): (D | 1)[] {
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => normalAxis(axis, rank)));
  let at = 0;
  return Array.from({ length: rank }, (_, axis) => {
    if (added.has(axis)) return 1;
    at += 1;
    return shape[at - 1] ?? 1;
  });
}

export function flattened(shape: readonly Dim[], axis: number): Dim[] {
  const at = normalAxis(axis, shape.length);
  return [product(shape.slice(0, at)), product(shape.slice(at))];
}
