import type { AttributeReader } from "../schema/attributes.js";
import { normalAxis } from "./indexing.js";

export function axesOf(attributes: AttributeReader, rank: number): readonly number[] {
  const axes = attributes.ints("axes") ?? Array.from({ length: rank }, (_, axis) => axis);
  return axes.map((axis) => normalAxis(axis, rank));
}

/** What is left of an axis that is multiplied, in single precision, as engines have it. */
export function scaledSize(size: number, scale: number): number {
  return Math.floor(Math.fround(size * Math.fround(scale)));
}

export function bySizes(
  dims: readonly number[],
  sizes: readonly number[],
  axes: readonly number[],
  attributes: AttributeReader,
): readonly { readonly size: number; readonly scale: number }[] {
  const policy = attributes.string("keep_aspect_ratio_policy", "stretch");
  const scales = axes.map((axis, at) => (sizes[at] ?? 1) / (dims[axis] ?? 1));
  const common =
    policy === "not_larger"
      ? Math.min(...scales)
      : policy === "not_smaller"
        ? Math.max(...scales)
        : undefined;
  return dims.map((size, axis) => {
    const at = axes.indexOf(axis);
    if (at < 0) return { size, scale: 1 };
    if (common === undefined) return { size: sizes[at] ?? size, scale: scales[at] ?? 1 };
    return { size: Math.floor(common * size + 0.5), scale: common };
  });
}
