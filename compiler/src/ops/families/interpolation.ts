import { PareError } from "@pare/runtime/format";
import type { AttributeReader } from "../schema/attributes.js";

/** How Resize looks between elements, by its attributes. */
export interface Interpolation {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly transformation: string;
  readonly nearest: string;
  /** The coefficient a of the cubic. */
  readonly cubic: number;
  readonly antialias: boolean;
  readonly excludeOutside: boolean;
}

/** One axis: its size, the size it gets, the factor between them as given, and the region of a crop. */
export interface AxisResize {
  readonly from: number;
  readonly size: number;
  readonly scale: number;
  readonly roi: readonly [number, number];
}

export interface Weighted {
  readonly index: number;
  readonly weight: number;
}

/** What Resize's attributes say; undefined for a mode that there is not. */
export function interpolationOf(attributes: AttributeReader): Interpolation | undefined {
  const mode = attributes.string("mode", "nearest");
  if (mode !== "nearest" && mode !== "linear" && mode !== "cubic") return undefined;
  return {
    mode,
    transformation: attributes.string("coordinate_transformation_mode", "half_pixel"),
    nearest: attributes.string("nearest_mode", "round_prefer_floor"),
    cubic: attributes.float("cubic_coeff_a", -0.75),
    antialias: attributes.int("antialias", 0) !== 0,
    excludeOutside: attributes.int("exclude_outside", 0) !== 0,
  };
}

function centred(place: number, scale: number): number {
  return fround(fround((place + 0.5) / fround(scale)) - 0.5);
}

/** For every place of the result the elements it is made of; undefined where it lies outside a crop. */
export function axisWeights(
  interpolation: Interpolation,
  axis: AxisResize,
): readonly (readonly Weighted[] | undefined)[] {
  return Array.from({ length: axis.size }, (_, place) => {
    const x = sourceOf(place, interpolation.transformation, axis);
    const cropped = interpolation.transformation === "tf_crop_and_resize";
    return cropped && (x < 0 || x > axis.from - 1) ? undefined : weightsAt(x, interpolation, axis);
  });
}

const { fround } = Math;

/** Of scales in single precision, and of sizes that are divided and multiplied again. */
export const wholeWithin = 1e-3;

/** Which coordinate of the input a place of the output shows: in single precision, by which engines choose the nearest. */
function sourceOf(
  place: number,
  transformation: string,
  { from, size, scale, roi }: AxisResize,
): number {
  // What the scale means exactly; `size` is that, rounded down. Of a scale that is a quotient of sizes it comes a little beside.
  const exact = Math.abs(scale * from - size) < wholeWithin ? size : scale * from;
  switch (transformation) {
    case "half_pixel":
      return centred(place, scale);
    case "pytorch_half_pixel":
      return size > 1 ? centred(place, scale) : 0;
    case "half_pixel_symmetric": {
      const offset = fround((from / 2) * fround(1 - fround(size / fround(fround(scale) * from))));
      return fround(offset + (place + 0.5) / fround(scale) - 0.5);
    }
    case "asymmetric":
      return fround(place / fround(scale));
    case "align_corners":
      return exact === 1 ? 0 : (place * (from - 1)) / (exact - 1);
    case "tf_half_pixel_for_nn":
      return fround((place + 0.5) / fround(scale));
    case "tf_crop_and_resize": {
      const [start, span] = [fround(roi[0] * (from - 1)), fround(roi[1] - roi[0])];
      if (exact === 1) return fround(0.5 * fround(roi[0] + roi[1]) * (from - 1));
      return fround(start + fround(fround(fround(place * span) * (from - 1)) / (exact - 1)));
    }
    default:
      throw new PareError(
        "MODEL_INVALID",
        `Resize has no coordinate transformation ${transformation}.`,
      );
  }
}

function weightsAt(
  x: number,
  interpolation: Interpolation,
  { from, scale }: AxisResize,
): readonly Weighted[] {
  const left = Math.floor(x);
  // In (0, 1]: of an element's own coordinate it is the right neighbour.
  const ratio = x === left ? 1 : x - left;
  const first = x === left ? left - 1 : left;
  let taps = tapsAt(ratio, interpolation, scale).map(({ index, weight }) => ({
    index: first + index,
    weight,
  }));
  if (interpolation.excludeOutside) {
    const inside = taps.map(({ index, weight }) => ({
      index,
      weight: index < 0 || index >= from ? 0 : weight,
    }));
    const sum = inside.reduce((total, { weight }) => total + weight, 0) || 1;
    taps = inside.map(({ index, weight }) => ({ index, weight: weight / sum }));
  }
  return taps.map(({ index, weight }) => ({
    index: Math.max(0, Math.min(from - 1, index)),
    weight,
  }));
}

/** Weights by offset from the left neighbour, `ratio` of the way to the right one. */
function tapsAt(
  ratio: number,
  { mode, nearest, cubic, antialias }: Interpolation,
  scale: number,
): readonly Weighted[] {
  // When making smaller, an antialiasing filter is as much wider.
  const narrow = antialias ? Math.min(scale, 1) : 1;
  switch (mode) {
    case "nearest":
      return [{ index: takesRight(ratio, nearest) ? 1 : 0, weight: 1 }];
    case "linear":
      return filtered(ratio, narrow, 1, (distance) => Math.max(0, 1 - distance));
    case "cubic":
      return filtered(ratio, narrow, 2, (distance) => cubicAt(distance, cubic));
    default:
      return mode satisfies never;
  }
}

/** So near to the middle between two elements engines take a place for it (onnxruntime 1.30, by measurement). */
const middleWithin = 1e-6;

function takesRight(share: number, nearest: string): boolean {
  const ratio = Math.abs(share - 0.5) < middleWithin ? 0.5 : share;
  switch (nearest) {
    case "round_prefer_floor":
      return ratio > 0.5;
    case "round_prefer_ceil":
      return ratio >= 0.5;
    case "floor":
      return ratio === 1;
    case "ceil":
      return true;
    default:
      throw new PareError("MODEL_INVALID", `Resize has no nearest mode ${nearest}.`);
  }
}

function filtered(
  ratio: number,
  narrow: number,
  reach: number,
  filter: (distance: number) => number,
): readonly Weighted[] {
  const start = Math.floor(-reach / narrow) + 1;
  const taps: Weighted[] = [];
  for (let index = start; index < 2 - start; index += 1) {
    taps.push({ index, weight: filter(Math.abs(index - ratio) * narrow) });
  }
  if (narrow === 1) return taps;
  const sum = taps.reduce((total, { weight }) => total + weight, 0);
  return taps.map(({ index, weight }) => ({ index, weight: weight / sum }));
}

/** By how much an element at a distance counts: Keys' convolution. */
export function cubicAt(x: number, a: number): number {
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}
