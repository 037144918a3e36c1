import type { ValueId } from "../../ir/index.js";
import { axisWeights, interpolationOf } from "../families/interpolation.js";
import { axesOf, bySizes } from "../families/resize.js";
import type { Some } from "../schema/cells.js";
import type { resizeSchemas } from "../schema/resize.js";
import { backAlong } from "./along-axis.js";
import type { Backward } from "./backward.js";
import type { Gradient } from "./gradient.js";
import { sampledByRows } from "./grid-sample.js";

const byCorners: ReadonlySet<string> = new Set(["align_corners", "tf_crop_and_resize"]);

/** The factor of each axis as the node means it: where sizes are given, from them. */
function scalesOf(backward: Backward): readonly number[] {
  const { attributes } = backward;
  const dims = backward.dims(0);
  const axes = axesOf(attributes, dims.length);
  const sizes = backward.integers(3);
  if (sizes !== undefined && sizes.length > 0)
    return bySizes(dims, sizes, axes, attributes).map(({ scale }) => scale);
  const scales = backward.constant(2)?.numbers();
  if (scales === undefined) throw backward.unsupported("its scales are only known when it runs");
  return dims.map((_, axis) => scales[axes.indexOf(axis)] ?? 1);
}

export const resizeGradients: Some<typeof resizeSchemas, Gradient> = {
  /** It is linear, and separable: backwards axis by axis. */
  Resize(backward) {
    const { attributes } = backward;
    const dims = backward.dims(0);
    const interpolation = interpolationOf(attributes);
    if (interpolation === undefined)
      throw backward.unsupported(`there is no mode ${attributes.string("mode", "nearest")}`);
    const axes = axesOf(attributes, dims.length);
    const roi = backward.constant(1)?.numbers() ?? [];
    const sizes = backward.emit.shape(backward.cotangent());
    const dX = scalesOf(backward).reduce<ValueId>((value, scale, axis) => {
      const from = dims[axis] ?? 1;
      const size = sizes[axis] ?? 1;
      const at = axes.indexOf(axis);
      const region = [roi[at] ?? 0, roi[at + axes.length] ?? 1] as const;
      const isCropped = interpolation.transformation === "tf_crop_and_resize" && at >= 0;
      if (scale === 1 && size === from && !isCropped) return value;
      const weights = axisWeights(interpolation, {
        from,
        size,
        // Engines take corners of the size as it is rounded, the standard of what the scale makes of it.
        scale: byCorners.has(interpolation.transformation) ? size / from : scale,
        roi: isCropped ? region : [0, 1],
      });
      // What lies outside a crop depends on nothing.
      const combination = weights.map((parts) => parts ?? []);
      return backAlong(backward, value, axis, combination, from);
    }, backward.cotangent());
    return [dX];
  },
  GridSample: { lower: sampledByRows },
};
