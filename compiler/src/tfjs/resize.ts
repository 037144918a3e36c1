import { attribute, type ValueId } from "../ir/index.js";
import type { OnnxWriter } from "./onnx-writer.js";
import { withChannelsSecond } from "./windows.js";

/** How places are counted: tensorflow/core/util/image_resizer_state.h. */
export interface Resizing {
  readonly mode: "linear" | "nearest";
  /** Outermost places lie upon each other. */
  readonly hasCorners: boolean;
  readonly hasHalfPixels: boolean;
}

/**
 * An image with channels last in another size.
 * @param sizes height and width
 */
export function resized(
  at: OnnxWriter,
  image: ValueId,
  sizes: ValueId,
  { mode, hasCorners, hasHalfPixels }: Resizing,
): ValueId {
  const counted = hasCorners ? "align_corners" : hasHalfPixels ? "half_pixel" : "asymmetric";
  // A half goes up: the floor of a place that is counted by half pixels and moved by a half, and roundf.
  const nearest = hasCorners || hasHalfPixels ? "round_prefer_ceil" : "floor";
  const made = withChannelsSecond(at, image, true, 2, (value) =>
    at.add("Resize", [value, null, null, sizes], {
      axes: attribute.ints([2, 3]),
      mode: attribute.string(mode),
      coordinate_transformation_mode: attribute.string(counted),
      ...(mode === "nearest" && { nearest_mode: attribute.string(nearest) }),
    }),
  );
  return mode === "linear" ? at.cast(made, "float32") : made;
}
