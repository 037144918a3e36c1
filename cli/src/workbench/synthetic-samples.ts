import { combinedSizes, isBatchName, isState, type Sizes } from "@pare/compiler";
import {
  goldenFeeds,
  goldenInputs,
  type SampleInfo,
  type SampleSet,
  type ValueInfo,
} from "@pare/runtime/format";
import { choiceOf, type Noise } from "./noise-of.js";

/** How many are made: enough to compare engines, and to time. */
export const syntheticCount = 16;

/** How many stand in for data, by what they are for. */
export const synthetic = { calibration: 50, validation: 100, test: 250 };

/** What noise is made by where a model does not say. */
interface Guess {
  /** Of free dims, by name. */
  readonly sizes?: Sizes;
  /** As `fittingSize` finds it. */
  readonly usual?: number;
  readonly noise?: Noise;
  /** How many there are; made when they are asked for. */
  readonly count?: number;
}

/** Noise in the place of data: fit for timing and for comparing engines, never for accuracy. */
export function syntheticSamples(
  inputs: readonly ValueInfo[],
  seed: number,
  { sizes = {}, usual = usualSize, noise, count = syntheticCount }: Guess = {},
): SampleSet {
  const wanted = combinedSizes(sizes);
  const choices = (index: number) =>
    Object.fromEntries(
      inputs.map((info) => {
        const dims = guessedDims(info, wanted[index % wanted.length] ?? {}, usual);
        return [info.name, { dims, ...choiceOf(noise, info.name) }];
      }),
    );
  return {
    size: count,
    labelled: false,
    info: async (index) => infoOf(index),
    sample: async (index) => ({
      ...infoOf(index),
      feeds: goldenFeeds(goldenInputs(inputs, seed + 1000 * index, choices(index))),
    }),
  };
}

function infoOf(index: number): SampleInfo {
  return { id: `synthetic-${index}`, label: null, group: null };
}

/** What a free dim is taken for that is no batch and no side of an image, where a model has no need of more. */
export const usualSize = 128;

function isLayered(dims: ValueInfo["dims"]): boolean {
  const [layers, , cells] = dims;
  const isFixed = dims.length === 3 && typeof layers === "number" && typeof cells === "number";
  return isFixed && layers > 1;
}

/** Without a name: the first axis; of [layers, batch, cells] the second. */
function isBatchPlace({ name, dims }: ValueInfo, axis: number): boolean {
  return axis === 0 || (axis === 1 && (isState(name, dims) || isLayered(dims)));
}

/** Of four axes, but keys and values that a decoder was given before: [batch, heads, positions, width of a head]. */
function isImage({ dims, type }: ValueInfo): boolean {
  const [, channels, height, width] = dims;
  const isHeld = typeof channels === "number" && typeof height !== "number" && typeof width === "number"; // prettier-ignore
  return dims.length === 4 && !isHeld && (type.startsWith("float") || type === "uint8");
}

/** How exporters name a dim that others make up: `past_sequence_length + 1`. A name may be anybody's: numbers are short. */
const sum = /^([a-z_]\w*|\d{1,4}) ?\+ ?([a-z_]\w*|\d{1,4})$/i;

/**
 * Concrete dims: a free batch is 1, a free side of an image 224, any other free dim is of the usual size, and one that is
 * named as a sum is that.
 * @param known sizes of free dims, by name
 * @param usual as `fittingSize` finds it
 */
export function guessedDims(
  info: ValueInfo,
  known: Readonly<Record<string, number>> = {},
  usual = usualSize,
): readonly number[] {
  const { dims } = info;
  const image = isImage(info);
  const knownSize = (name: string): number | undefined =>
    Object.hasOwn(known, name) ? known[name] : undefined;
  const partSize = (part: string): number =>
    /^\d+$/.test(part) ? Number(part) : (knownSize(part) ?? usual);
  return dims.map((dim, axis) => {
    if (typeof dim === "number") return dim;
    const own = dim === null ? undefined : knownSize(dim);
    const [, left, right] = (dim !== null && sum.exec(dim)) || [];
    if (own === undefined && left !== undefined && right !== undefined)
      return partSize(left) + partSize(right);
    const isBatch =
      dim === null ? isBatchPlace(info, axis) : axis === 0 ? isBatchName(dim) : /batch/i.test(dim);
    return own ?? (isBatch ? 1 : image ? 224 : usual);
  });
}

/** What was guessed, as a sentence; null where nothing had to be. */
export function guessedText(
  inputs: readonly ValueInfo[],
  sizes: Sizes = {},
  usual = usualSize,
): string | null {
  const guessed = inputs.filter(({ dims }) =>
    dims.some((dim) => dim === null || (typeof dim === "string" && !Object.hasOwn(sizes, dim))),
  );
  if (guessed.length === 0) return null;
  const [first = {}] = combinedSizes(sizes);
  const shapes = guessed.map((info) => `${info.name}=${guessedDims(info, first, usual).join("x")}`);
  return `Free dims were guessed: --shape ${shapes.join(" --shape ")}.`;
}
