import { elementBytes } from "../kernels/element.js";
import type { FrameOptions } from "../kernels/frame.js";
import { vectorBytes } from "../kernels/kernel.js";
import { placeAt, type Place } from "../plan/plan.js";
import { channelsLast, noHalo, sizeAt, stepAt, type View } from "../plan/view.js";

/**
 * What lies around a map whose channels lie innermost, in whole vectors, and whose rows and frame are all that is in its memory.
 * Undefined of other views.
 */
export function frameOf(
  view: View,
  order: readonly number[],
): { readonly options: FrameOptions; readonly place: Place } | undefined {
  const rank = view.dims.length;
  if ((rank !== 3 && rank !== 4) || order.join() !== channelsLast(rank).join()) return undefined;
  const [rowAxis, columnAxis] = rank === 4 ? [2, 3] : [undefined, 2];
  const [top, bottom] = rowAxis === undefined ? noHalo : (view.halo[rowAxis] ?? noHalo);
  const [left, right] = view.halo[columnAxis] ?? noHalo;
  const others = [0, 1].flatMap((axis) => view.halo[axis] ?? noHalo);
  if (others.some((zeros) => zeros > 0) || top + bottom + left + right === 0) return undefined;
  const channels = sizeAt(view, 1) * elementBytes[view.element];
  const own = view.padded ? Math.ceil(channels / vectorBytes) * vectorBytes : channels;
  const [pixel, columns] = [stepAt(view, columnAxis), sizeAt(view, columnAxis)];
  const rows = rowAxis === undefined ? 1 : sizeAt(view, rowAxis);
  const pitch = (left + columns + right) * pixel;
  if (own !== pixel || pixel % vectorBytes > 0) return undefined;
  if (rowAxis !== undefined && stepAt(view, rowAxis) !== pitch) return undefined;
  const before = top * pitch + left * pixel;
  return {
    options: {
      images: { count: sizeAt(view, 0), step: sizeAt(view, 0) === 1 ? 0 : stepAt(view, 0) },
      rows,
      inside: columns * pixel,
      before: before / vectorBytes,
      between: ((left + right) * pixel) / vectorBytes,
      behind: (right * pixel + bottom * pitch) / vectorBytes,
    },
    place: placeAt(view.place, -before),
  };
}
