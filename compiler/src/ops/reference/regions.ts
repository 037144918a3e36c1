import { PareError } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import type { Evaluation } from "./evaluation.js";

/** A place beside a point along one axis, and how much of it there is in the point. */
interface Beside {
  readonly index: number;
  readonly weight: number;
}

/** Along an axis of a bin: a region that covers an image has some hundred. */
const mostPoints = 4096;

/** Up to a place beyond the image its border counts, further out nothing does. */
function besidesOf(point: number, size: number): readonly Beside[] {
  if (point < -1 || point > size) return [];
  const inside = Math.min(Math.max(point, 0), size - 1);
  const low = Math.floor(inside);
  const share = inside - low;
  return [
    { index: low, weight: 1 - share },
    { index: Math.min(low + 1, size - 1), weight: share },
  ];
}

/** RoiAlign: of each bin of a region the mean, or the largest, of points that are sampled between places. */
export const alignRegions: Evaluation = ({ input, attributes }) => {
  const [x, rois] = [input(0), input(1)];
  const [from, corners, images] = [unpackNumbers(x), unpackNumbers(rois), unpackNumbers(input(2))];
  const [batch = 0, channels = 0, height = 0, width = 0] = x.dims;
  const [count = 0] = rois.dims;
  const scale = attributes.float("spatial_scale", 1);
  const aligned =
    attributes.string("coordinate_transformation_mode", "half_pixel") === "half_pixel";
  const isMean = attributes.string("mode", "avg") === "avg";
  const sizes = [attributes.int("output_height", 1), attributes.int("output_width", 1)] as const;
  const [rows, columns] = sizes;
  const ratio = attributes.int("sampling_ratio", 0);
  const y = new Float64Array(count * channels * rows * columns);
  let at = 0;
  for (let region = 0; region < count; region += 1) {
    const image = images[region] ?? 0;
    if (image < 0 || image >= batch)
      throw new PareError("MODEL_SHAPE", `RoiAlign's image ${image} is none of ${batch}.`);
    const half = aligned ? 0.5 : 0;
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [0, 1, 2, 3].map(
      (corner) => (corners[region * 4 + corner] ?? 0) * scale - half,
    );
    const least = aligned ? -Infinity : 1;
    const [high, wide] = [Math.max(y2 - y1, least), Math.max(x2 - x1, least)];
    const pointsOf = (start: number, extent: number, bins: number, bin: number): number[] => {
      const points = ratio > 0 ? ratio : Math.ceil(extent / bins);
      if (points > mostPoints)
        throw new PareError("UNSUPPORTED_OP", `RoiAlign takes ${points} samples of a bin.`);
      return Array.from(
        { length: Math.max(0, points) },
        (_, point) => start + (extent / bins) * (bin + (point + 0.5) / points),
      );
    };
    for (let channel = 0; channel < channels; channel += 1) {
      const plane = (image * channels + channel) * height * width;
      for (let row = 0; row < rows; row += 1)
        for (let column = 0; column < columns; column += 1) {
          const taken: number[] = [];
          for (const down of pointsOf(y1, high, rows, row))
            for (const across of pointsOf(x1, wide, columns, column)) {
              const parts = besidesOf(down, height).flatMap((a) =>
                besidesOf(across, width).map(
                  (b) => (from[plane + a.index * width + b.index] ?? 0) * a.weight * b.weight,
                ),
              );
              // The largest is that of the weighted places, not of their sums.
              if (isMean) taken.push(parts.reduce((sum, part) => sum + part, 0));
              else taken.push(parts.length === 0 ? 0 : Math.max(...parts));
            }
          y[at] = isMean
            ? taken.reduce((sum, value) => sum + value, 0) / Math.max(1, taken.length)
            : taken.reduce((most, value) => Math.max(most, value), taken[0] ?? 0);
          at += 1;
        }
    }
  }
  return [denseOf(x.type, [count, channels, rows, columns], y)];
};
