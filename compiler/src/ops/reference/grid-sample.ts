import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import { endsOf, gridCubic, reflected } from "../families/grid-sample.js";
import { cubicAt } from "../families/interpolation.js";
import type { EvaluateContext } from "./evaluation.js";
import { roundHalfEven } from "./round-half-even.js";

/** A place of an axis, and how much of it there is in a sample; what lies outside is 0. */
interface Tap {
  readonly index: number;
  readonly weight: number;
}

const mostAxes = 3;

/** GridSample: of every place of the grid a sum of the places around it, along each axis. */
export function sampleGrid(context: EvaluateContext): readonly Dense[] {
  const [x, grid] = [context.input(0), context.input(1)];
  const mode = context.attributes.string("mode", "linear");
  const padding = context.attributes.string("padding_mode", "zeros");
  const aligned = context.attributes.int("align_corners", 0) !== 0;
  const [batch = 0, channels = 0, ...space] = x.dims;
  const places = grid.dims.slice(1, -1);
  if (space.length === 0 || grid.dims.at(-1) !== space.length || grid.dims[0] !== batch)
    throw new PareError("MODEL_SHAPE", "GridSample's grid is not one of its input.");
  // Each axis multiplies the places of one sample; engines know two and three.
  if (space.length > mostAxes)
    throw new PareError("UNSUPPORTED_OP", `GridSample over ${space.length} axes is not known.`);
  const tapsOf = (coordinate: number, size: number): readonly Tap[] => {
    const ends = endsOf({ aligned }, size);
    const unbound = aligned
      ? ((coordinate + 1) / 2) * (size - 1)
      : ((coordinate + 1) * size - 1) / 2;
    // Engines choose the nearest before they look for it in the mirror.
    const whole = mode === "nearest" ? roundHalfEven(unbound) : unbound;
    const point = padding === "reflection" ? reflected(whole, ends) : whole;
    const first = Math.floor(point);
    const share = point - first;
    const taps =
      mode === "nearest"
        ? [{ index: roundHalfEven(point), weight: 1 }]
        : mode === "linear"
          ? [0, 1].map((at) => ({ index: first + at, weight: at === 0 ? 1 - share : share }))
          : [-1, 0, 1, 2].map((at) => ({
              index: first + at,
              weight: cubicAt(Math.abs(share - at), gridCubic),
            }));
    if (padding === "border")
      return taps.map(({ index, weight }) => ({ index: Math.min(Math.max(index, 0), size - 1), weight })); // prettier-ignore
    if (padding === "zeros") return taps.filter(({ index }) => index >= 0 && index < size);
    return taps.map(({ index, weight }) => ({ index: Math.min(Math.max(Math.round(reflected(index, ends)), 0), size - 1), weight })); // prettier-ignore
  };
  const [values, points] = [unpackNumbers(x), unpackNumbers(grid)];
  const count = elementCount(places);
  const inner = elementCount(space);
  const sampled = new Float64Array(batch * channels * count);
  for (let n = 0; n < batch; n += 1)
    for (let place = 0; place < count; place += 1) {
      let taps: readonly Tap[] = [{ index: 0, weight: 1 }];
      for (const [axis, size] of space.entries()) {
        // The grid's last axis names the innermost axis first.
        const at = (n * count + place) * space.length + (space.length - 1 - axis);
        const own = tapsOf(points[at] ?? 0, size);
        taps = taps.flatMap(
          (outer) =>
          own.map(({ index, weight }) => ({ index: outer.index * size + index, weight: outer.weight * weight })), // prettier-ignore
        );
      }
      for (let c = 0; c < channels; c += 1) {
        const start = (n * channels + c) * inner;
        sampled[(n * channels + c) * count + place] = taps.reduce(
          (sum, { index, weight }) => sum + (values[start + index] ?? 0) * weight,
          0,
        );
      }
    }
  return [denseOf(x.type, [batch, channels, ...places], sampled)];
}
