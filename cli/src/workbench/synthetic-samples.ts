import {
  goldenFeeds,
  goldenInputs,
  type SampleInfo,
  type SampleSet,
  type ValueInfo,
} from "@pare/runtime/format";

/** How many are made: enough to compare engines, and to time. */
export const syntheticCount = 16;

/** Noise in the place of data: fit for timing and for comparing engines, never for accuracy. */
export function syntheticSamples(inputs: readonly ValueInfo[], seed: number): SampleSet {
  const dims = Object.fromEntries(inputs.map((info) => [info.name, { dims: guessedDims(info) }]));
  return {
    size: syntheticCount,
    labelled: false,
    info: async (index) => infoOf(index),
    sample: async (index) => ({
      ...infoOf(index),
      feeds: goldenFeeds(goldenInputs(inputs, seed + 1000 * index, dims)),
    }),
  };
}

function infoOf(index: number): SampleInfo {
  return { id: `synthetic-${index}`, label: null, group: null };
}

/** Concrete dims: a free batch is 1, a free side of an image 224, any other free dim 128. */
export function guessedDims({ dims, type }: ValueInfo): readonly number[] {
  const image = dims.length === 4 && (type.startsWith("float") || type === "uint8");
  return dims.map((dim, axis) =>
    typeof dim === "number" ? dim : axis === 0 ? 1 : image ? 224 : 128,
  );
}

/** What was guessed, as a sentence; null where nothing had to be. */
export function guessedText(inputs: readonly ValueInfo[]): string | null {
  const guessed = inputs.filter(({ dims }) => dims.some((dim) => typeof dim !== "number"));
  if (guessed.length === 0) return null;
  const shapes = guessed.map((info) => `${info.name}=${guessedDims(info).join("x")}`);
  return `Free dims were guessed: --shape ${shapes.join(" --shape ")}.`;
}
