import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { resized } from "../resize.js";
import { withChannelsSecond } from "../windows.js";
import type { LayerTranslation, TranslateLayer } from "./layer-translation.js";
import { spaceAxes, upTo } from "./spaces.js";

/** By whole factors; between places as TensorFlow.js counts them, from the corner. */
const upSample: TranslateLayer = (at) => {
  const factors = at.config.counts("size", 2) ?? [2, 2];
  const word = at.config.word("interpolation") ?? "nearest";
  const isNearest = word === "nearest";
  if (!isNearest && word !== "bilinear") return at.refuse(`its interpolation is ${word}`);
  const scales = at.constant(Tensor.float32([4], [1, 1, ...factors]));
  return withChannelsSecond(at, at.input, at.isChannelsLast, 2, (value) =>
    at.add("Resize", [value, null, scales], {
      mode: attribute.string(isNearest ? "nearest" : "linear"),
      coordinate_transformation_mode: attribute.string("asymmetric"),
      ...(isNearest && { nearest_mode: attribute.string("floor") }),
    }),
  );
};

const pad: TranslateLayer = (at) => {
  const pairs = at.config.sides("padding", 2) ?? [[1, 1], [1, 1]]; // prettier-ignore
  const sides = [0, 1].flatMap((side) => {
    const space = pairs.map((pair) => pair[side] ?? 0);
    return at.isChannelsLast ? [0, ...space, 0] : [0, 0, ...space];
  });
  return at.add("Pad", [at.input, at.integers(sides)], { mode: attribute.string("constant") });
};

const crop: TranslateLayer = (at) => {
  const pairs = at.config.sides("cropping", 2) ?? [[0, 0], [0, 0]]; // prettier-ignore
  const begins = pairs.map(([before]) => before);
  const ends = pairs.map(([, after]) => (after === 0 ? Number.MAX_SAFE_INTEGER : -after));
  const places = [begins, ends, spaceAxes(at, 2)].map((all) => at.integers(all));
  return at.add("Slice", [at.input, ...places]);
};

const rescale: TranslateLayer = (at) => {
  const value = at.cast(at.input, "float32");
  const scaled = at.add("Mul", [value, at.numberLike(value, at.config.number("scale", 1))]);
  return at.add("Add", [scaled, at.numberLike(value, at.config.number("offset", 0))]);
};

/** Outermost places lie upon each other, where it does not say that it crops. */
const resize: TranslateLayer = (at) => {
  const word = at.config.word("interpolation") ?? "bilinear";
  if (word !== "bilinear" && word !== "nearest")
    return at.refuse(`its interpolation is ${JSON.stringify(word)}`);
  return resized(at, at.input, sizesOf(at), {
    mode: word === "nearest" ? "nearest" : "linear",
    hasCorners: !at.config.flag("crop_to_aspect_ratio", false),
    hasHalfPixels: false,
  });
};

/** Along a side of an image; so many are listed of what a file says. */
const mostPlaces = 65_536;

/**
 * The middle, as TensorFlow.js takes it: places of a box whose corners are fractions of the size, and these fractions are
 * of one less where they are places again (tfjs-layers/src/layers/preprocessing/center_crop.ts and
 * tfjs-backend-cpu/src/kernels/CropAndResize.ts). Of what is too small all is stretched.
 */
const centerCrop: TranslateLayer = (at) => {
  const wanted = [at.config.count("height"), at.config.count("width")];
  const sizes = at.shapeOf(at.input)?.slice(1, 3) ?? [];
  const known = sizes.filter((size) => typeof size === "number");
  if (known.length !== 2 || at.rankOf(at.input) !== 4)
    return at.refuse("the sizes of what it reads are known only when it runs");
  const spare = known.map((size, axis) => {
    const half = Math.floor((size - (wanted[axis] ?? 0)) / 2);
    // Across, TensorFlow.js never begins at the border where it cuts.
    return axis === 1 && half === 0 && size !== wanted[axis] ? 1 : half;
  });
  if (wanted.some((size) => size > mostPlaces)) return at.refuse("it is larger than any image");
  if (spare.some((before) => before < 0))
    return resized(at, at.input, sizesOf(at), {
      mode: "linear",
      hasCorners: false,
      hasHalfPixels: false,
    });
  return upTo(2).reduce<ValueId>((value, axis) => {
    const [size = 0, taken = 0, before = 0] = [known[axis], wanted[axis], spare[axis]];
    const places = placesOf(size, taken, before);
    if (places.some((place) => place < 0 || place >= size))
      return at.refuse("it takes more than there is");
    return at.add("Gather", [value, at.integers(places)], { axis: attribute.int(axis + 1) });
  }, at.input);
};

function placesOf(size: number, taken: number, before: number): readonly number[] {
  const [from, to] = [Math.fround(before / size), Math.fround((taken + before) / size)];
  const step = taken > 1 ? ((to - from) * (size - 1)) / (taken - 1) : 0;
  const first = taken > 1 ? from * (size - 1) : 0.5 * (from + to) * (size - 1);
  return upTo(taken).map((place) => Math.round(first + place * step));
}

function sizesOf(at: LayerTranslation): ValueId {
  return at.integers([at.config.count("height"), at.config.count("width")]);
}

export const imageLayers: Readonly<Record<string, TranslateLayer>> = {
  CenterCrop: centerCrop,
  Cropping2D: crop,
  Rescaling: rescale,
  Resizing: resize,
  UpSampling2D: upSample,
  ZeroPadding2D: pad,
};
