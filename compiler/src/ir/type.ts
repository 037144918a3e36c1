import type { Dtype } from "@pare/runtime/format";
import { type Dim, dim } from "./dim.js";

/**
 * As many as NumPy's arrays may have: no tensor that means anything has more. Of a damaged file each node would pass on
 * hundreds of thousands.
 */
export const mostAxes = 64;

export interface TensorType {
  readonly kind: "tensor" | "sparse-tensor";
  readonly dtype: Dtype | undefined;
  /** Undefined when not even the rank is known. */
  readonly shape: readonly Dim[] | undefined;
}

export type ValueType =
  | TensorType
  | { readonly kind: "sequence" | "optional"; readonly element: ValueType }
  | { readonly kind: "map"; readonly key: Dtype; readonly value: ValueType }
  | { readonly kind: "unknown" };

export const unknownType: ValueType = { kind: "unknown" };

export function tensorType(
  dtype: Dtype | undefined,
  shape: readonly Dim[] | undefined,
): TensorType {
  return { kind: "tensor", dtype, shape };
}

export function sameShape(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((value, axis) => value === b[axis]);
}

export function sameType(a: ValueType, b: ValueType): boolean {
  switch (a.kind) {
    case "tensor":
    case "sparse-tensor":
      return b.kind === a.kind && a.dtype === b.dtype && sameShape(a.shape, b.shape);
    case "sequence":
    case "optional":
      return b.kind === a.kind && sameType(a.element, b.element);
    case "map":
      return b.kind === "map" && a.key === b.key && sameType(a.value, b.value);
    case "unknown":
      return b.kind === "unknown";
    default:
      return a satisfies never;
  }
}

/** Do two types exclude each other: another kind, dtype, rank or number? */
export function contradicts(before: ValueType, after: ValueType): boolean {
  if (before.kind === "unknown" || after.kind === "unknown") return false;
  if (before.kind !== after.kind) return true;
  if (before.kind !== "tensor" || after.kind !== "tensor") return false;
  if (before.dtype !== undefined && after.dtype !== undefined && before.dtype !== after.dtype)
    return true;
  if (before.shape === undefined || after.shape === undefined) return false;
  const { shape } = after;
  return (
    before.shape.length !== shape.length ||
    before.shape.some(
      (dim, axis) =>
        typeof dim === "number" && typeof shape[axis] === "number" && dim !== shape[axis],
    )
  );
}

export function typeText(type: ValueType): string {
  switch (type.kind) {
    case "tensor":
    case "sparse-tensor": {
      const shape = type.shape === undefined ? "[*]" : `[${type.shape.map(String).join(", ")}]`;
      return `${type.kind === "sparse-tensor" ? "sparse " : ""}${type.dtype ?? "?"}${shape}`;
    }
    case "sequence":
    case "optional":
      return `${type.kind}(${typeText(type.element)})`;
    case "map":
      return `map(${type.key}, ${typeText(type.value)})`;
    case "unknown":
      return "?";
    default:
      return type satisfies never;
  }
}

/** A tensor's type with dims in the place of symbols; any other as it is. */
export function substituted(type: ValueType, bindings: ReadonlyMap<string, Dim>): ValueType {
  if (type.kind !== "tensor" || type.shape === undefined) return type;
  return tensorType(
    type.dtype,
    type.shape.map((size) => dim.substitute(size, bindings)),
  );
}
