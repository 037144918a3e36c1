import { type Dim, dim } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";
import { normalAxis } from "./indexing.js";

/** What CenterCropPad does to one axis: so many elements go (below 0) or come (above) before it and after it. */
export interface Centred {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

/** The odd element goes after. @param sizes of `axes`, or of all */
export function centredPads(
  shape: readonly number[],
  sizes: readonly number[],
  attributes: AttributeReader,
): readonly Centred[] {
  const axes = attributes.ints("axes") ?? [...shape.keys()];
  return axes.map((given, index) => {
    const axis = normalAxis(given, shape.length);
    const more = (sizes[index] ?? 0) - (shape[axis] ?? 0);
    const before = Math.sign(more) * Math.floor(Math.abs(more) / 2);
    return { axis, before, after: more - before };
  });
}

/** What MaxPool had before, as far as it can be told: the places that no window ended at are gone. */
export function unpooledSizes(sizes: readonly Dim[], attributes: AttributeReader): readonly Dim[] {
  const kernel = attributes.ints("kernel_shape") ?? [];
  const strides = attributes.ints("strides");
  const pads = attributes.ints("pads");
  return sizes.map((size, axis) => {
    const moved = dim.multiply(dim.subtract(size, 1), strides?.[axis] ?? 1);
    const padded = (pads?.[axis] ?? 0) + (pads?.[axis + sizes.length] ?? 0);
    return dim.add(moved, (kernel[axis] ?? 1) - padded);
  });
}

/** From −1 to 1: middles of places, or of the outermost ones; one alone is the last. */
export function gridCoordinates(size: number, aligned: boolean): readonly number[] {
  return Array.from({ length: size }, (_, at) =>
    aligned ? (size === 1 ? 1 : (2 * at) / (size - 1) - 1) : (2 * at + 1) / size - 1,
  );
}
